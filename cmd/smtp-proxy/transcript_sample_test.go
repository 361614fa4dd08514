package main

import (
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// script builds a session by hand, an entry a call.
type script struct {
	s      *inspect.Session
	at     time.Time
	secure [2]bool
	own    bool
	verb   string
}

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func newScript(outcome inspect.Outcome) *script {
	return &script{at: noon, s: &inspect.Session{
		ID: "01JD8Z6T9RWQ4V8C0M3K5N7P2S", Started: noon, Route: "default", Outcome: outcome,
		App:      inspect.AppLeg{Addr: "127.0.0.1:53212"},
		Upstream: inspect.UpstreamLeg{Name: "smtp.example.com:587", Addr: "192.0.2.10:587"},
	}}
}

func (s *script) add(e session.Entry) *script {
	e.Seq, e.Own, e.Secure = len(s.s.Events)+1, s.own, s.secure[e.Leg]
	s.at = s.at.Add(10 * time.Millisecond)
	e.At = s.at
	s.s.Events = append(s.s.Events, e)
	return s
}

// say records what the app said, or the proxy in its own dialogue.
func (s *script) say(text string) *script {
	s.verb, _, _ = strings.Cut(text, " ")
	e := session.Entry{Kind: session.KindCommand, From: session.FromApp, Leg: session.App, Verb: s.verb, Text: text}
	if s.own {
		e.From, e.Leg = session.FromProxy, session.Upstream
	}
	return s.add(e)
}

// hear records a reply to the last command.
func (s *script) hear(wait time.Duration, code int, text string) *script {
	return s.hearTo(s.verb, wait, code, text)
}

func (s *script) hearTo(verb string, wait time.Duration, code int, text string) *script {
	return s.add(session.Entry{Kind: session.KindReply, From: session.FromUpstream, Leg: session.Upstream, Verb: verb, Code: code, Text: text, Wait: wait})
}

func (s *script) tls(leg session.Side, h *session.TLS, fault *session.Fault) *script {
	s.secure[leg] = fault == nil
	return s.add(session.Entry{Kind: session.KindTLS, From: session.FromProxy, Leg: leg, TLS: h, Fault: fault})
}

func (s *script) note(edit bool, text string) *script {
	if edit {
		s.s.Edits = append(s.s.Edits, text)
	}
	return s.add(session.Entry{Kind: session.KindNote, From: session.FromProxy, Edit: edit, Text: text})
}

func (s *script) find(f inspect.Finding) *script {
	s.s.Findings = append(s.s.Findings, f)
	return s
}

func (s *script) message(m inspect.Message) *script {
	s.s.Messages = append(s.s.Messages, m)
	return s
}

func (s *script) end(after time.Duration) *inspect.Session {
	s.s.Ended = noon.Add(after)
	return s.s
}

func certificate() session.Certificate {
	return session.Certificate{
		Subject: "CN=smtp.example.com", Issuer: "CN=Example CA", NotBefore: noon.AddDate(0, -1, 0), NotAfter: noon.AddDate(0, 2, 0),
		Names: []string{"smtp.example.com", "mail.example.com"}, Key: "ECDSA P-256",
	}
}

// opening is how most sessions begin: connection, greeting, upgrade.
func opening(outcome inspect.Outcome) *script {
	s := newScript(outcome)
	s.add(session.Entry{Kind: session.KindOpen, Leg: session.App, From: session.FromApp})
	s.add(session.Entry{Kind: session.KindNote, Leg: session.Upstream, From: session.FromProxy,
		Lookup: &session.Lookup{Name: "smtp.example.com.", Type: "A", Server: "127.0.0.53:53", Rcode: "NOERROR", Answers: []string{"192.0.2.10"}, Duration: 3 * time.Millisecond}})
	s.add(session.Entry{Kind: session.KindOpen, Leg: session.Upstream, From: session.FromProxy,
		Dial: &session.Dial{Host: "smtp.example.com", Addr: "192.0.2.10:587", Family: "ipv4", Duration: 12 * time.Millisecond}})
	s.add(session.Entry{Kind: session.KindGreeting, Leg: session.Upstream, From: session.FromUpstream, Code: 220, Text: "220 smtp.example.com ESMTP ready", Wait: 43 * time.Millisecond})
	s.own = true
	s.say("EHLO app.local").hear(11*time.Millisecond, 250, "250-smtp.example.com\n250-PIPELINING\n250-SIZE 35882577\n250-STARTTLS\n250 8BITMIME")
	s.say("STARTTLS").hear(9*time.Millisecond, 220, "220 2.0.0 Ready to start TLS")
	s.tls(session.Upstream, &session.TLS{Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", Verified: true, Chain: []session.Certificate{certificate()}, Duration: 34 * time.Millisecond}, nil)
	s.own = false
	s.say("EHLO app.local").note(true, "removed STARTTLS from the EHLO reply: the upstream leg is already under TLS")
	s.hear(8*time.Millisecond, 250, "250-smtp.example.com\n250-PIPELINING\n250-SIZE 35882577\n250-AUTH PLAIN LOGIN\n250 8BITMIME")
	return s
}

func delivered() *inspect.Session {
	s := opening(inspect.Delivered)
	s.s.Upstream.Provider = "example"
	s.add(session.Entry{Kind: session.KindAuth, From: session.FromApp, Leg: session.App, Verb: "AUTH", Text: "AUTH PLAIN [redacted]",
		Auth: &session.Auth{Mechanism: "PLAIN", Username: "me@example.com", Secret: &session.Secret{Length: 16, Alphabet: "lower"}}})
	s.verb = "AUTH"
	s.hear(120*time.Millisecond, 235, "235 2.7.0 Accepted")
	s.say("MAIL FROM:<me@example.com>").say("RCPT TO:<bob@example.net>").say("DATA")
	s.hearTo("MAIL", 5*time.Millisecond, 250, "250 2.1.0 OK").hearTo("RCPT", 6*time.Millisecond, 250, "250 2.1.5 OK")
	s.hearTo("DATA", 40*time.Millisecond, 354, "354 Go ahead")
	s.add(session.Entry{Kind: session.KindData, From: session.FromApp, Leg: session.App, Verb: "DATA", Bytes: 12345})
	s.hearTo(".", 410*time.Millisecond, 250, "250 2.0.0 OK queued as 4Xq1")
	s.say("QUIT").hear(4*time.Millisecond, 221, "221 2.0.0 closing")
	s.add(session.Entry{Kind: session.KindClose, From: session.FromUpstream, Leg: session.Upstream})
	s.message(inspect.Message{Size: 12345, Code: 250, To: []inspect.Recipient{{Addr: "bob@example.net", Code: 250}}})
	return s.end(812 * time.Millisecond)
}

func refusedRecipient() *inspect.Session {
	s := opening(inspect.Partial)
	s.say("MAIL FROM:<me@example.com>").hear(5*time.Millisecond, 250, "250 2.1.0 OK")
	s.say("RCPT TO:<bob@example.net>").hear(6*time.Millisecond, 250, "250 2.1.5 OK")
	s.say("RCPT TO:<nobody@example.net>").hear(34*time.Millisecond, 550, "550-5.1.1 The email account that you tried to reach does not exist. Please try\n550 5.1.1 double-checking the recipient's address for typos")
	s.find(inspect.Finding{
		Cause: "recipient.unknown", Certainty: inspect.Certain, Title: "The mailbox does not exist",
		Explanation: "smtp.example.com says that example.net has no mailbox nobody@example.net. Every further attempt gets the same answer, and many of them harm the sender's reputation.",
		Side:        "recipient",
		Evidence:    []inspect.Evidence{{Event: len(s.s.Events), Text: "550-5.1.1 The email account that you tried to reach does not exist. Please try\n550 5.1.1 double-checking the recipient's address for typos"}, {Text: "the address was accepted until 2026-11-01"}},
		RuledOut:    []string{"a typing error in the domain: example.net takes mail"},
		Fix:         []string{"Check nobody@example.net for a slip of the finger.", "Take it off the list if it is right."},
		Retry:       inspect.Retry{Advice: "never", Text: "give this recipient up; the others are not affected"},
		Changed:     []string{"the app signed in as me@example.com, before it signed in as you@example.com"},
		Recurrence:  &inspect.Recurrence{Seen: 3, Of: 40, Since: noon.AddDate(0, 0, -7)},
		Refs:        []string{"https://support.google.com/mail/answer/6596"},
	})
	s.say("QUIT").hear(4*time.Millisecond, 221, "221 2.0.0 closing")
	s.message(inspect.Message{To: []inspect.Recipient{{Code: 250}, {Code: 550}}})
	return s.end(1250 * time.Millisecond)
}

func refusedConnection() *inspect.Session {
	s := newScript(inspect.Failed)
	s.s.Upstream.Addr = ""
	fault := &session.Fault{Op: "dial", Class: session.FaultRefused, Errno: "ECONNREFUSED", Text: "connect: connection refused"}
	s.add(session.Entry{Kind: session.KindError, Leg: session.Upstream, From: session.FromProxy, Phase: session.PhaseConnect, Fault: fault,
		Dial: &session.Dial{Host: "smtp.example.com", Addr: "192.0.2.10:587", Duration: 12 * time.Millisecond}})
	s.say("EHLO app.local")
	s.add(session.Entry{Kind: session.KindReply, Leg: session.App, From: session.FromProxy, Verb: "EHLO", Code: 421, Text: "421 4.4.1 smtp-proxy: smtp.example.com:587 refuses the connection"})
	s.find(inspect.Finding{
		Cause: "connect.refused", Certainty: inspect.Certain, Title: "Nothing listens on smtp.example.com:587",
		Explanation: "192.0.2.10 answered the connection with a reset.", Evidence: []inspect.Evidence{{Event: 1, Text: "connect: connection refused"}},
		Fix:   []string{"Check the port: 587 (STARTTLS) and 465 (TLS) are usual."},
		Retry: inspect.Retry{Advice: "later", AfterS: 300},
	})
	s.find(inspect.Finding{Cause: "connect.port-blocked", Certainty: inspect.Possible, Title: "A firewall blocks the port", Retry: inspect.Retry{Advice: "after-fix"}})
	return s.end(15 * time.Millisecond)
}

func expiredCertificate() *inspect.Session {
	s := newScript(inspect.Failed)
	c := certificate()
	c.NotAfter = noon.AddDate(0, 0, -12)
	c.Names = []string{"a.example.com", "b.example.com", "c.example.com", "d.example.com", "e.example.com"}
	s.own = true
	s.say("STARTTLS").hear(9*time.Millisecond, 220, "220 go")
	s.tls(session.Upstream, &session.TLS{Version: "TLS 1.2", Cipher: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Chain: []session.Certificate{c},
		Verify: session.VerifyExpired, Error: "x509: certificate has expired", Duration: 30 * time.Millisecond},
		&session.Fault{Op: "handshake", Class: session.FaultCertificate, Text: "x509: certificate has expired"})
	s.find(inspect.Finding{Cause: "tls.certificate-expired", Certainty: inspect.Certain, Title: "The certificate has expired", Evidence: []inspect.Evidence{{Event: 3}}, Retry: inspect.Retry{Advice: "after-fix"}})
	return s.end(60 * time.Millisecond)
}

// hostile is a peer that tries to drive the terminal.
func hostile() *inspect.Session {
	s := newScript(inspect.NoMail)
	s.s.Upstream.Name = "evil\x1b[2J:25"
	s.add(session.Entry{Kind: session.KindGreeting, Leg: session.Upstream, From: session.FromUpstream, Code: 220,
		Text: "220 \x1b]0;owned\x07 \x1b[2J\xff\u202egnp.exe\u200b\r\t\x00\u009b31m ok \u00e9\u4e2d", Wait: time.Millisecond})
	s.say("EHLO \x1b[31mred").hear(time.Millisecond, 550, "550 \x1b[8m5.7.1 hidden\x7f")
	s.add(session.Entry{Kind: session.KindAuth, From: session.FromApp, Leg: session.App, Text: "AUTH PLAIN [redacted]",
		Auth: &session.Auth{Username: "me\x1b[0m\nroot"}})
	s.find(inspect.Finding{Cause: "connect.rejected", Title: "Says \x1b[1mbold", Explanation: "one\ntwo\x1b[A", Evidence: []inspect.Evidence{{Event: 3, Text: "550 \x1b[8m"}}, Fix: []string{"\x1b[5m"}, Refs: []string{"https://\x07"}})
	return s.end(2 * time.Second)
}

// long is a session that a folded transcript must not print whole.
func long() *inspect.Session {
	s := opening(inspect.Partial)
	s.say("MAIL FROM:<me@example.com>").hear(5*time.Millisecond, 250, "250 2.1.0 OK")
	for i := range 100 {
		code, text := 250, "250 2.1.5 OK"
		if i == 60 {
			code, text = 550, "550 5.1.1 no such user"
		}
		s.say("RCPT TO:<"+string(rune('a'+i%26))+"@example.net>").hear(time.Millisecond, code, text)
		if code == 550 {
			s.find(inspect.Finding{Cause: "recipient.unknown", Title: "The mailbox does not exist", Evidence: []inspect.Evidence{{Event: len(s.s.Events), Text: text}}, Retry: inspect.Retry{Advice: "never"}})
		}
	}
	s.say("QUIT").hear(4*time.Millisecond, 221, "221 2.0.0 closing")
	return s.end(90 * time.Second)
}
