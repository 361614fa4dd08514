package inspect

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

var start = time.Date(2026, 11, 20, 23, 51, 32, 123456789, time.UTC)

// play runs a script through an assembler. Its lines are
//
//	> command        < VERB reply of the upstream      p VERB reply of the proxy
//	own < VERB reply to the proxy's own command
//	data VERB n      body text      auth MECHANISM user
//	tls SIDE [fault]    fault SIDE    odd ODDITY    open addr    edit text
//	through SIDE [fault]: a handshake between app and upstream    left SIDE [fault]
func play(t *testing.T, script string) *Assembler {
	t.Helper()
	a := new(Assembler)
	playOn(t, a, script)
	return a
}

// playOn does so with an assembler that has no session.
func playOn(t *testing.T, a *Assembler, script string) {
	t.Helper()
	a.Begin(&session.Info{ID: "01J", Started: start, Route: "default", AppAddr: "127.0.0.1:4", Upstream: "mx.test:587"})
	for i, line := range strings.Split(strings.TrimSpace(script), "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if text, ok := strings.CutPrefix(line, "body "); ok {
			a.Body([]byte(strings.NewReplacer(`\r`, "\r", `\n`, "\n").Replace(text)))
			continue
		}
		e := entry(t, line)
		e.Seq, e.At = i+1, start.Add(time.Duration(i)*time.Millisecond)
		a.Add(&e)
	}
}

// entry reads one line of a script.
func entry(t *testing.T, line string) session.Entry {
	t.Helper()
	own := strings.HasPrefix(line, "own ")
	word, rest, _ := strings.Cut(strings.TrimPrefix(line, "own "), " ")
	first, second, _ := strings.Cut(rest, " ")
	switch word {
	case ">":
		return session.Entry{Kind: session.KindCommand, Verb: first, Text: rest, Phase: phases[first], Own: own}
	case "<":
		return replyEntry(first, second, session.FromUpstream, own)
	case "p":
		return replyEntry(first, second, session.FromProxy, own)
	case "data":
		n, _ := strconv.Atoi(second)
		return session.Entry{Kind: session.KindData, Verb: first, Bytes: int64(n), Phase: session.PhaseDot}
	case "auth":
		return session.Entry{Kind: session.KindAuth, Verb: "AUTH", Phase: session.PhaseAuth, Auth: &session.Auth{Mechanism: first, Username: second}}
	case "through":
		e := session.Entry{Kind: session.KindTLS, Leg: side(first), Phase: session.PhaseTLS, TLS: &session.TLS{Version: "TLS 1.3", Passthrough: true}}
		e.Fault = faultOf(second)
		return e
	case "left":
		e := session.Entry{Kind: session.KindClose, Leg: side(first), Fault: faultOf(second)}
		if e.Fault != nil {
			e.Fault.Op = "read"
		}
		return e
	case "tls":
		e := session.Entry{Kind: session.KindTLS, Leg: side(first), Phase: session.PhaseTLS, TLS: &session.TLS{Version: "TLS 1.3"}}
		if second != "" {
			e.Fault = &session.Fault{Op: "handshake", Class: session.FaultClass(second)}
		}
		return e
	case "fault":
		return session.Entry{Kind: session.KindError, Leg: side(first), Phase: session.PhaseConnect, Fault: &session.Fault{Op: "dial", Class: session.FaultRefused}}
	case "odd":
		return session.Entry{Kind: session.KindNote, Odd: session.Oddity(first), Bytes: 3}
	case "died":
		return session.Entry{Kind: session.KindClose, From: session.FromProxy, Odd: session.OddShutdown}
	case "open":
		return session.Entry{Kind: session.KindOpen, Leg: session.Upstream, Phase: session.PhaseConnect, Dial: &session.Dial{Addr: first}}
	case "edit":
		return session.Entry{Kind: session.KindNote, Edit: true, Text: rest}
	}
	t.Fatalf("no such line in a script: %q", line)
	return session.Entry{}
}

func faultOf(class string) *session.Fault {
	if class == "" {
		return nil
	}
	return &session.Fault{Op: "handshake", Class: session.FaultClass(class)}
}

var phases = map[string]session.Phase{"EHLO": session.PhaseHelo, "MAIL": session.PhaseMail, "RCPT": session.PhaseRcpt, "DATA": session.PhaseData, "QUIT": session.PhaseQuit}

func side(s string) session.Side {
	if s == "app" {
		return session.App
	}
	return session.Upstream
}

func replyEntry(verb, text string, from session.Origin, own bool) session.Entry {
	text = strings.ReplaceAll(text, "|", "\n")
	e := session.Entry{Kind: session.KindReply, Leg: session.Upstream, From: from, Verb: verb, Text: text, Own: own}
	if verb == "greeting" {
		e.Kind, e.Verb = session.KindGreeting, ""
	}
	if r, ok := wire.ParseReply(text); ok {
		e.Code, e.Enhanced = r.Code, r.Enhanced
	}
	return e
}

const hello = `
	open 192.0.2.1:587
	< greeting 220 mx.test
	> EHLO app.test
	< EHLO 250 mx.test
`

func TestOutcome(t *testing.T) {
	const mail = hello + "> MAIL FROM:<a@b.test>\n< MAIL 250 ok\n"
	const sent = mail + "> RCPT TO:<c@d.test>\n< RCPT 250 ok\n> DATA\n< DATA 354 go\ndata . 10\n"
	for _, tt := range []struct {
		name, script string
		want         Outcome
	}{
		{"accepted", sent + "< . 250 queued\n> QUIT\n< QUIT 221 bye", Delivered},
		{"accepted and left without QUIT", sent + "< . 250 queued", Delivered},
		{"refused at the end", sent + "< . 554 spam", Rejected},
		{"refused for now", sent + "< . 451 later", Rejected},
		{"upstream says 421 at the end", sent + "< . 421 closing", Rejected},
		{"upstream left before its verdict", sent + "p . 421 smtp-proxy: gone", Aborted},
		{"app left in the body", mail + "> RCPT TO:<c@d.test>\n< RCPT 250 ok\n> DATA\n< DATA 354 go\ndata . 10", Aborted},
		{"refused by the proxy in the body", mail + "> RCPT TO:<c@d.test>\n< RCPT 250 ok\n> DATA\n< DATA 354 go\np . 554 5.6.0 smtp-proxy: smuggling", Rejected},
		{"one of two recipients refused", mail + "> RCPT TO:<c@d.test>\n< RCPT 550 no\n> RCPT TO:<e@d.test>\n< RCPT 250 ok\n> DATA\n< DATA 354 go\ndata . 1\n< . 250 ok", Partial},
		{"all recipients refused, then QUIT", mail + "> RCPT TO:<c@d.test>\n< RCPT 550 no\n> QUIT\n< QUIT 221 bye", Rejected},
		{"all recipients refused, then gone", mail + "> RCPT TO:<c@d.test>\n< RCPT 550 no", Rejected},
		{"pipelined, refused, DATA refused", hello + "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> DATA\n< MAIL 250 ok\n< RCPT 550 no\n< DATA 503 no recipients\n> QUIT", Rejected},
		{"pipelined up to QUIT", hello + "> MAIL FROM:<a@b>\n> RCPT TO:<c@d>\n> QUIT\n< MAIL 250 ok\n< RCPT 550 no\n< QUIT 221 bye", Rejected},
		{"MAIL refused", hello + "> MAIL FROM:<a@b>\n< MAIL 530 5.7.0 STARTTLS first\n> QUIT", Rejected},
		{"called off", mail + "> RSET\n< RSET 250 ok\n> QUIT", NoMail},
		{"called off behind accepted recipient", mail + "> RCPT TO:<c@d>\n< RCPT 250 ok\n> QUIT\n< QUIT 221", NoMail},
		{"left behind MAIL", mail, Aborted},
		{"nested MAIL refused, first one sent", mail + "> MAIL FROM:<x@y>\n< MAIL 503 nested\n> RCPT TO:<c@d>\n< RCPT 250 ok\n> DATA\n< DATA 354 go\ndata . 2\n< . 250 ok", Partial},
		{"two messages, one refused", sent + "< . 250 ok\n> MAIL FROM:<a@b>\n< MAIL 550 no", Partial},
		{"second message cut", sent + "< . 250 ok\n> MAIL FROM:<a@b>\n< MAIL 250 ok", Aborted},
		{"AUTH refused and left", hello + "auth PLAIN me\n< AUTH 535 5.7.8 no", Failed},
		{"AUTH refused, then accepted, no mail", hello + "auth PLAIN me\n< AUTH 535 no\nauth PLAIN me\n< AUTH 235 ok\n> QUIT", NoMail},
		{"greeting refused", "open 192.0.2.1:587\n< greeting 554 go away", Failed},
		{"EHLO refused, HELO taken", "< greeting 220 x\n> EHLO a\n< EHLO 502 no\n> HELO a\n< HELO 250 ok\n> QUIT", NoMail},
		{"no connection", "fault upstream\np greeting 421 smtp-proxy: refused", Failed},
		{"second address connected", "fault upstream\nopen 192.0.2.1:587\n< greeting 220 x\n> QUIT\n< QUIT 221 x", NoMail},
		{"handshake failed", hello + "tls upstream certificate", Failed},
		{"app left while the upstream's handshake was under way", hello + "tls upstream local", NoMail},
		{"STARTTLS of the app refused", hello + "> STARTTLS\n< STARTTLS 454 no", Failed},
		{"own dialogue is not the app's", "< greeting 220 x\n> EHLO a\nown < EHLO 250 x\nown < STARTTLS 220 go\ntls upstream\nown < MAIL 550 x\n< EHLO 250 x\n> QUIT", NoMail},
		{"unknown command", hello + "> VRFY x\n< VRFY 502 no\n> QUIT", NoMail},
		{"proxy stops an idle session", hello + "odd shutdown\np  421 smtp-proxy: shutting down", NoMail},
		{"proxy died", hello + "died", Aborted},
		{"chunks", mail + "> RCPT TO:<c@d>\n< RCPT 250 ok\n> BDAT 5\ndata BDAT 5\n< BDAT 250 ok\n> BDAT 3 LAST\ndata BDAT 3\n< BDAT 250 ok", Delivered},
		{"first chunk refused", mail + "> RCPT TO:<c@d>\n< RCPT 250 ok\n> BDAT 5\ndata BDAT 5\n> BDAT 3 LAST\ndata BDAT 3\n< BDAT 552 big\n< BDAT 503 no", Rejected},
		{"chunks without end", mail + "> RCPT TO:<c@d>\n< RCPT 250 ok\n> BDAT 5\ndata BDAT 5\n< BDAT 250 ok", Aborted},
		{"tunnel", hello + "through app\nthrough upstream\nleft app\nleft upstream", NoMail},
		{"tunnel, orderly end with an alert", hello + "through app\nthrough upstream\nleft app alert\nleft upstream", NoMail},
		{"tunnel, reset behind the end", hello + "through app\nthrough upstream\nleft app\nleft upstream reset", NoMail},
		{"tunnel, reset", hello + "through app\nthrough upstream\nleft upstream reset\nleft app", Aborted},
		{"tunnel, refused behind the handshake", hello + "through app\nthrough upstream\nleft app hidden-alert", Failed},
		{"app broke the handshake", hello + "through app closed\nthrough upstream\nleft app", Failed},
		{"upstream broke the handshake", hello + "through app\nthrough upstream reset\nleft upstream reset", Failed},
		{"nothing at all", "open 192.0.2.1:587", NoMail},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := play(t, tt.script)
			if got := a.Session().Outcome; got != Open {
				t.Errorf("outcome while open = %q, want %q", got, Open)
			}
			a.Close(start.Add(time.Second))
			if got := a.Session().Outcome; got != tt.want {
				t.Errorf("outcome = %q, want %q, of\n%s", got, tt.want, tt.script)
			}
		})
	}
}

func TestAssembleMessages(t *testing.T) {
	a := play(t, hello+`
		tls upstream
		> EHLO app2.test
		< EHLO 250 mx.test
		auth PLAIN me@example.com
		< AUTH 235 2.7.0 ok
		> MAIL FROM:<a@example.com> SIZE=10 BODY=8BITMIME
		> RCPT TO:<"odd > one"@example.net> NOTIFY=NEVER
		> RCPT TO:<@relay.test:jürgen@example.net>
		> DATA
		< MAIL 250 2.1.0 ok
		< RCPT 550-5.1.1 no such|550 5.1.1 user
		< RCPT 250 2.1.5 ok
		< DATA 354 go
		body Received: x\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n aus =?iso-8859-1?Q?K=F6ln?=\r\nMessage-I
		body D: <1@example.com>\r\n\r\nSubject: no
		data . 90
		< . 250 2.0.0 queued as 1
		edit removed STARTTLS
		edit removed STARTTLS
		odd gap
	`)
	a.Close(start.Add(time.Second))
	s := a.Session()
	want := []Message{{
		From: "a@example.com",
		To: []Recipient{
			{Addr: `"odd > one"@example.net`, Code: 550, Enhanced: "5.1.1", Text: "5.1.1 no such\n5.1.1 user"},
			{Addr: "jürgen@example.net", Code: 250, Enhanced: "2.1.5", Text: "2.1.5 ok"},
		},
		Size: 90, Subject: "Grüße aus Köln", MessageID: "<1@example.com>",
		Code: 250, Enhanced: "2.0.0", Text: "2.0.0 queued as 1", Captured: "full", Refused: 1,
	}}
	if !reflect.DeepEqual(s.Messages, want) {
		t.Errorf("messages = %+v\nwant       %+v", s.Messages, want)
	}
	if s.App.Helo != "app2.test" || s.Upstream.Addr != "192.0.2.1:587" || s.Upstream.TLS == nil || s.App.TLS != nil {
		t.Errorf("legs = %+v %+v", s.App, s.Upstream)
	}
	if s.Auth == nil || s.Auth.Username != "me@example.com" || !s.Auth.Accepted {
		t.Errorf("auth = %+v", s.Auth)
	}
	if len(s.Edits) != 1 || s.Dropped != 3 || s.Phase != session.PhaseDot || !reflect.DeepEqual(s.Codes, []string{"550 5.1.1"}) {
		t.Errorf("edits %q, dropped %d, phase %s, codes %q", s.Edits, s.Dropped, s.Phase, s.Codes)
	}
}

// TestDirect keeps what a probe says of the session as a whole, also behind its
// end, and says of a clear leg that nothing is known.
func TestDirect(t *testing.T) {
	a := play(t, hello+"tls upstream")
	if got := a.Session().Direct; got == nil || got.Tested || !strings.Contains(got.Text, "in clear") {
		t.Errorf("clear leg: direct = %+v, want one that was not tested", got)
	}
	a = play(t, hello+"tls upstream\ntls app")
	s := a.Session()
	if s.Direct != nil {
		t.Errorf("before the probe: direct = %+v, want nil", s.Direct)
	}
	n := len(s.Events)
	s.Answer(&session.Entry{Kind: session.KindProbe, Text: "no", Probe: &session.Probe{Name: ProbeDirect, Result: "fail", Cause: "tls.sni-required", Setting: "sni"}})
	if want := (Direct{Tested: true, Cause: "tls.sni-required", Setting: "sni", Text: "no"}); s.Direct == nil || *s.Direct != want || len(s.Events) != n+1 {
		t.Errorf("direct = %+v with %d events, want %+v and %d", s.Direct, len(s.Events), want, n+1)
	}
	if again := a.Session(); len(again.Events) != n || again.Direct != nil {
		t.Errorf("the assembler has %d events, want its own %d", len(again.Events), n)
	}
}

// TestPipelinedChunks has the second transaction begin before the verdict on
// the first is in (RFC 3030, section 4.2).
func TestPipelinedChunks(t *testing.T) {
	a := play(t, hello+`
		> MAIL FROM:<one@x>
		> RCPT TO:<r1@x>
		> BDAT 4 LAST
		body a\r\n\r\n
		data BDAT 4
		> MAIL FROM:<two@x>
		> RCPT TO:<r2@x>
		> BDAT 6 LAST
		data BDAT 6
		< MAIL 250 ok
		< RCPT 250 ok
		< BDAT 250 first
		< MAIL 250 ok
		< RCPT 550 no
		< BDAT 554 second
	`)
	a.Close(start.Add(time.Second))
	s := a.Session()
	if s.Outcome != Partial || len(s.Messages) != 2 {
		t.Fatalf("outcome %s with %d messages, want partial with 2", s.Outcome, len(s.Messages))
	}
	for i, want := range []Message{{From: "one@x", Size: 4, Code: 250, Text: "first"}, {From: "two@x", Size: 6, Code: 554, Text: "second"}} {
		got := s.Messages[i]
		if got.From != want.From || got.Size != want.Size || got.Code != want.Code || got.Text != want.Text {
			t.Errorf("message %d = %+v, want %+v", i, got, want)
		}
	}
}

func TestAddress(t *testing.T) {
	for in, want := range map[string]string{
		"MAIL FROM:<>":                         "",
		"MAIL FROM:<a@b>":                      "a@b",
		"mail from: <a@b> SIZE=1":              "a@b",
		"MAIL FROM:a@b SIZE=1":                 "a@b",
		"RCPT TO:<@x,@y:a@b>":                  "a@b",
		"RCPT TO:<\"a b\"@c>":                  "\"a b\"@c",
		"RCPT TO:<\"a\\\" >\"@c> NOTIFY=NEVER": "\"a\\\" >\"@c",
		"RCPT TO:<a@b":                         "a@b",
		"RCPT":                                 "",
		"RCPT a@b":                             "a@b",
		"RCPT TO:<ü@例え.jp>":                    "ü@例え.jp",
	} {
		if got := Address(in); got != want {
			t.Errorf("Address(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestHugeSession checks that what is kept stays small and that the counts
// are right all the same.
func TestHugeSession(t *testing.T) {
	a := play(t, hello+"> MAIL FROM:<a@b>\n< MAIL 250 ok")
	const n = 100_000
	for i := range n {
		c := session.Entry{Seq: 2 * i, Kind: session.KindCommand, Verb: "RCPT", Text: fmt.Sprintf("RCPT TO:<u%d@x>", i)}
		r := session.Entry{Seq: 2*i + 1, Kind: session.KindReply, From: session.FromUpstream, Verb: "RCPT", Code: 550, Enhanced: "5.1.1", Text: "550 5.1.1 no"}
		a.Add(&c)
		a.Add(&r)
	}
	a.Close(start.Add(time.Second))
	s := a.Session()
	m := s.Messages[0]
	if len(m.To) != maxRecipients || m.Refused != n || m.Omitted != n-maxRecipients {
		t.Errorf("listed %d, refused %d, omitted %d", len(m.To), m.Refused, m.Omitted)
	}
	if len(s.Events) != headEntries+tailEntries || s.Events[len(s.Events)-1].Seq != 2*n-1 || s.Outcome != Rejected {
		t.Errorf("%d events, last %d, outcome %s", len(s.Events), s.Events[len(s.Events)-1].Seq, s.Outcome)
	}
	for i := 1; i < len(s.Events); i++ {
		if i > 6 && s.Events[i].Seq <= s.Events[i-1].Seq {
			t.Fatalf("event %d has Seq %d behind %d", i, s.Events[i].Seq, s.Events[i-1].Seq)
		}
	}
}

func TestResume(t *testing.T) {
	a := play(t, hello+"> MAIL FROM:<a@b>\n< MAIL 250 ok\n> RCPT TO:<c@d>\n< RCPT 250 ok\n> DATA\n< DATA 354 go\nbody Subject: x\\r\\n\\r\\n")
	s := a.Session()
	b := Resume(s)
	b.Add(&session.Entry{Seq: b.Last() + 1, Kind: session.KindClose, From: session.FromProxy, Odd: session.OddShutdown})
	b.Close(start.Add(time.Hour))
	got := b.Session()
	if got.Outcome != Aborted || len(got.Messages) != 1 || got.Messages[0].Subject != "x" {
		t.Errorf("resumed session = %+v", got)
	}
}

func TestJudge(t *testing.T) {
	for _, tt := range []struct{ was, want Outcome }{{NoMail, Failed}, {Delivered, Delivered}, {Open, Open}} {
		s := Session{Outcome: tt.was}
		s.Judge([]Finding{{Cause: "app.timeout"}})
		if s.Outcome != tt.want || s.Healthy() {
			t.Errorf("Judge made %s of %s, want %s", s.Outcome, tt.was, tt.want)
		}
	}
}

// FuzzAssembler checks that no history upsets the assembler and that the lists
// stay in bounds.
func FuzzAssembler(f *testing.F) {
	f.Add("MAIL FROM:<a@b>\nRCPT TO:<c>\nDATA\n354\n.250\n\x00body")
	f.Add("BDAT 5 LAST\nMAIL\nMAIL\nRSET\nRCPT\n")
	f.Fuzz(func(t *testing.T, script string) {
		a := NewAssembler(&session.Info{})
		for i, line := range strings.Split(script, "\n") {
			c := wire.ParseCommand([]byte(line))
			e := session.Entry{Seq: i, Kind: session.KindCommand, Verb: c.Verb, Text: line}
			if code, _, _, ok := wire.ReplyLine([]byte(strings.TrimPrefix(line, "."))); ok && len(a.mail.due) > 0 {
				e.Kind, e.From, e.Code, e.Verb = session.KindReply, session.FromUpstream, code, a.mail.due[0].verb
			}
			a.Add(&e)
			a.Body([]byte(line))
		}
		a.Close(start)
		s := a.Session()
		if s.Outcome == Open || len(a.mail.open) != 0 {
			t.Errorf("outcome %q with %d open transactions after the end", s.Outcome, len(a.mail.open))
		}
		sum := a.mail.tallies
		if got := sum.accepted + sum.refused + sum.cut + sum.off; got != a.mail.begun {
			t.Errorf("%d messages were judged, want %d", got, a.mail.begun)
		}
	})
}
