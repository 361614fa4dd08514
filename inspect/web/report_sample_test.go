package web_test

import (
	"fmt"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// tale builds a session an entry at a time.
type tale struct {
	*inspect.Session
	own  bool
	verb string
}

func (t *tale) add(e session.Entry) {
	e.Seq = len(t.Events) + 1
	e.At, e.Own = noon.Add(time.Duration(e.Seq)*10*time.Millisecond), t.own
	t.Events = append(t.Events, e)
}

func (t *tale) say(text string) {
	t.verb, _, _ = strings.Cut(text, " ")
	e := session.Entry{Kind: session.KindCommand, From: session.FromApp, Verb: t.verb, Text: text}
	if t.own {
		e.From, e.Leg = session.FromProxy, session.Upstream
	}
	t.add(e)
}

func (t *tale) hear(from session.Origin, text string) {
	code := 0
	fmt.Sscanf(text, "%d", &code)
	e := session.Entry{Kind: session.KindReply, From: from, Leg: session.Upstream, Verb: t.verb, Code: code, Text: text, Wait: 7 * time.Millisecond}
	if from == session.FromProxy {
		e.Leg = session.App
	}
	t.add(e)
}

func newTale(o inspect.Outcome) *tale {
	return &tale{Session: &inspect.Session{
		ID: "01JD8Z6T9RWQ4V8C0M3K5N7P2S", Started: noon, Ended: noon.Add(812 * time.Millisecond), Route: "default", Outcome: o,
		App:      inspect.AppLeg{Addr: "127.0.0.1:53212", Helo: "app.local"},
		Upstream: inspect.UpstreamLeg{Name: "smtp.example.com:587", Addr: "192.0.2.10:587", Provider: "example"},
	}}
}

func chain() []session.Certificate {
	return []session.Certificate{{
		Subject: "CN=smtp.example.com", Issuer: "CN=Example CA", NotBefore: noon.AddDate(0, -3, 0), NotAfter: noon.AddDate(0, 0, -2),
		Names: []string{"smtp.example.com"}, Key: "ECDSA P-256", Signature: "ECDSA-SHA256", Serial: "01ff",
	}, {Subject: "CN=Example CA", Issuer: "CN=Example CA", NotBefore: noon.AddDate(-3, 0, 0), NotAfter: noon.AddDate(3, 0, 0), CA: true}}
}

// refused has something of everything.
func refused() *inspect.Session {
	t := newTale(inspect.Partial)
	t.add(session.Entry{Kind: session.KindOpen, From: session.FromApp})
	t.add(session.Entry{Kind: session.KindNote, From: session.FromProxy, Leg: session.Upstream, Lookup: &session.Lookup{Name: "smtp.example.com.", Type: "A", Server: "127.0.0.53:53", Answers: []string{"192.0.2.10"}}})
	t.add(session.Entry{Kind: session.KindOpen, Leg: session.Upstream, From: session.FromProxy, Dial: &session.Dial{Host: "smtp.example.com", Addr: "192.0.2.10:587", Duration: 12 * time.Millisecond}})
	t.add(session.Entry{Kind: session.KindGreeting, Leg: session.Upstream, From: session.FromUpstream, Code: 220, Text: "220 smtp.example.com \x1b[2Jready"})
	t.say("EHLO app.local")
	t.own = true
	t.say("STARTTLS")
	t.hear(session.FromUpstream, "220 2.0.0 Ready")
	t.own = false
	h := &session.TLS{Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", Verify: session.VerifyExpired, Error: "x509: certificate has expired", Chain: chain(), Duration: 30 * time.Millisecond}
	t.Upstream.TLS = h
	t.add(session.Entry{Kind: session.KindTLS, Leg: session.Upstream, From: session.FromProxy, TLS: h})
	t.Edits = []string{"removed STARTTLS from the EHLO reply"}
	t.add(session.Entry{Kind: session.KindNote, Edit: true, From: session.FromProxy, Text: t.Edits[0]})
	t.verb = "EHLO"
	t.hear(session.FromUpstream, "250-smtp.example.com\n250-PIPELINING\n250-SIZE 35882577\n250 8BITMIME")
	t.add(session.Entry{Kind: session.KindAuth, From: session.FromApp, Text: "AUTH PLAIN ***", Auth: &session.Auth{Mechanism: "PLAIN", Username: "me@example.com", Secret: &session.Secret{Length: 16}}})
	t.Auth = &inspect.Auth{Auth: session.Auth{Mechanism: "PLAIN", Username: "me@example.com", Secret: &session.Secret{Length: 16, Alphabet: "lower"}}, Accepted: true}
	t.say("MAIL FROM:<me@example.com>")
	t.hear(session.FromUpstream, "250 2.1.0 OK")
	t.say("RCPT TO:<nobody@example.net>")
	t.hear(session.FromUpstream, "550-5.1.1 The account does not exist\n550 5.1.1 "+strings.Repeat("please look again ", 30))
	at := len(t.Events)
	t.say("STARTTLS")
	t.hear(session.FromProxy, "503 5.5.1 smtp-proxy: not now")
	t.add(session.Entry{Kind: session.KindData, From: session.FromApp, Verb: "DATA", Bytes: 12345})
	t.add(session.Entry{Kind: session.KindProbe, From: session.FromProxy, Text: "465 answers, too", Probe: &session.Probe{Name: "ports", Target: "smtp.example.com", Result: "ok", Found: []session.Found{{What: "465", Result: "ok"}}}})
	t.add(session.Entry{Kind: session.KindClose, Leg: session.Upstream, From: session.FromUpstream, Fault: &session.Fault{Text: "connection reset by peer"}, TCP: &session.TCP{RTT: time.Millisecond, Retransmits: 2}})
	t.Messages = []inspect.Message{{From: "me@example.com", Subject: "Hello", MessageID: "<1@app.local>", Size: 12345, Code: 250, Enhanced: "2.0.0", Text: "OK", To: []inspect.Recipient{
		{Addr: "bob@example.net", Code: 250, Text: "OK"}, {Addr: "nobody@example.net", Code: 550, Enhanced: "5.1.1", Text: "The account does not exist"},
	}}, {}}
	t.Findings = []inspect.Finding{{
		Cause: "recipient.unknown", Certainty: inspect.Certain, Title: "The mailbox does not exist", Explanation: "The upstream has no such mailbox.\nIt will say so again.", Side: "recipient",
		Evidence: []inspect.Evidence{{Event: at, Text: "550-5.1.1 The account\n550 does not exist"}, {Text: "it was accepted until 2026-11-01"}},
		RuledOut: []string{"a slip in the domain"}, Fix: []string{"Compare the address.", "Take it off the list."},
		Retry: inspect.Retry{Advice: "later", AfterS: 300, Schedule: []int{300, 7200}}, Changed: []string{"the certificate is another one"},
		Recurrence: &inspect.Recurrence{Seen: 3, Of: 40, Since: noon.AddDate(0, 0, -7)},
		Refs:       []string{"https://support.example.com/6596", "RFC 5321, section 4.2", "javascript:alert(1)"}, Rule: "generic/unknown",
	}, {Cause: "tls.certificate-expired", Title: "The certificate has expired", Retry: inspect.Retry{Advice: "after-fix"}}}
	t.Direct = &inspect.Direct{Tested: true, Text: "without the proxy the name would not match"}
	return t.Session
}

// unreached is a session that came no further than the proxy.
func unreached() *inspect.Session {
	t := newTale(inspect.Failed)
	t.Upstream.Addr, t.Upstream.Provider = "", ""
	t.add(session.Entry{Kind: session.KindOpen, From: session.FromApp})
	t.add(session.Entry{Kind: session.KindError, Leg: session.Upstream, From: session.FromProxy, Dial: &session.Dial{Addr: "192.0.2.10:587"}, Fault: &session.Fault{Text: "connection refused"}})
	t.say("EHLO app.local")
	t.hear(session.FromProxy, "421 4.4.1 smtp-proxy: smtp.example.com:587 refuses the connection")
	return t.Session
}

func sessions() map[string]*inspect.Session {
	return map[string]*inspect.Session{"refused": refused(), "unreached": unreached()}
}

// long has more lines than anybody reads.
func long() *inspect.Session {
	t := newTale(inspect.Delivered)
	for i := range 2000 {
		t.say("NOOP")
		t.hear(session.FromUpstream, "250 OK")
		if i == 1000 {
			t.Findings = []inspect.Finding{{Cause: "some.cause", Evidence: []inspect.Evidence{{Event: len(t.Events)}}}}
		}
	}
	return t.Session
}
