package diagnose_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// knowledge is loaded once for all tests; nothing changes it.
var knowledge = sync.OnceValues(rules.Load)

func engine(t testing.TB, options diagnose.Options) *diagnose.Engine {
	t.Helper()
	set, err := knowledge()
	if err != nil {
		t.Fatal(err)
	}
	if options.Failed == nil {
		options.Failed = func(err error) { t.Error(err) }
	}
	return diagnose.New(set, options)
}

// play makes a session of a dialogue, a line an entry:
//
//	A: EHLO app            a command of the app
//	A! AUTH PLAIN user     a line of an AUTH exchange
//	U: 250 ok              a reply of the upstream to the oldest open command; \n joins lines
//	P: 421 4.4.1 no        the same by the proxy
//	own: 220 go            a reply to the proxy's own STARTTLS
//	open                   the upstream's connection stands
//	data 1000              a message was passed on
//	odd upstream timeout   a note with an oddity
//	wait 12s               time passes
//	tls upstream           a handshake that ended well
//	close app              a side closes cleanly
//	reset upstream         a side resets its connection
//	end                    the session has ended
type script struct {
	t       testing.TB
	now     time.Time
	asm     *inspect.Assembler
	seq     int
	secure  [2]bool
	waiting []string
	auth    *session.Auth
	greeted bool
}

func newScript(t testing.TB, upstream string) *script { return newScriptMode(t, upstream, "auto") }

func newScriptMode(t testing.TB, upstream, mode string) *script {
	return &script{t: t, now: noon, asm: inspect.NewAssembler(&session.Info{
		ID: "01TEST", Started: noon, Route: "default", AppAddr: "127.0.0.1:50000", Upstream: upstream, Mode: mode,
	})}
}

func play(t testing.TB, upstream, dialogue string) *inspect.Session {
	t.Helper()
	s := newScript(t, upstream)
	for line := range strings.Lines(dialogue) {
		if line = strings.TrimSpace(line); line != "" {
			s.line(line)
		}
	}
	return s.asm.Session()
}

func (s *script) add(e session.Entry) {
	s.seq++
	s.now = s.now.Add(time.Millisecond)
	e.Seq, e.At = s.seq, s.now
	s.asm.Add(&e)
}

func (s *script) line(line string) {
	mark, rest, _ := strings.Cut(line, " ")
	switch mark {
	case "A:":
		s.command(rest)
	case "A!":
		s.authLine(rest)
	case "U:":
		s.reply(session.FromUpstream, rest)
	case "P:":
		s.reply(session.FromProxy, rest)
	case "own:":
		s.add(session.Entry{Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindReply, Phase: session.PhaseTLS, Verb: "STARTTLS", Own: true, Code: code(s.t, rest), Text: rest})
	case "open":
		s.add(session.Entry{Leg: session.Upstream, From: session.FromProxy, Kind: session.KindOpen, Phase: session.PhaseConnect, Dial: &session.Dial{Host: "mx", Addr: "192.0.2.10:587"}})
		s.waiting = append(s.waiting, "")
	case "data":
		s.add(session.Entry{Leg: session.Upstream, From: session.FromApp, Kind: session.KindData, Phase: session.PhaseDot, Bytes: 1000})
	case "odd":
		leg, odd, _ := strings.Cut(rest, " ")
		odd, text, _ := strings.Cut(odd, " ")
		s.add(session.Entry{Leg: side(leg), From: session.FromProxy, Kind: session.KindNote, Odd: session.Oddity(odd), Text: text})
	case "wait":
		d, err := time.ParseDuration(rest)
		if err != nil {
			s.t.Fatal(err)
		}
		s.now = s.now.Add(d)
	case "tls":
		s.secure[side(rest)] = true
		s.add(session.Entry{Leg: side(rest), From: session.Origin(side(rest)), Kind: session.KindTLS, Phase: session.PhaseTLS, TLS: &session.TLS{Version: "TLS 1.3", Verified: true}})
	case "reset":
		s.add(session.Entry{Leg: side(rest), From: session.Origin(side(rest)), Kind: session.KindClose, Fault: &session.Fault{Op: "read", Class: session.FaultReset}, Text: "reset the connection"})
	case "close":
		s.add(session.Entry{Leg: side(rest), From: session.Origin(side(rest)), Kind: session.KindClose, Text: "closed the connection"})
	case "end":
		s.asm.Close(s.now)
	default:
		s.t.Fatalf("script line %q: unknown mark", line)
	}
}

func (s *script) command(text string) {
	verb := strings.ToUpper(strings.Fields(text)[0])
	phase := map[string]session.Phase{"MAIL": session.PhaseMail, "RCPT": session.PhaseRcpt, "DATA": session.PhaseData, "QUIT": session.PhaseQuit}[verb]
	if phase == "" {
		phase = session.PhaseHelo
	}
	s.waiting = append(s.waiting, verb)
	s.add(session.Entry{Leg: session.App, From: session.FromApp, Kind: session.KindCommand, Phase: phase, Verb: verb, Text: text, Secure: s.secure[session.App]})
}

func (s *script) authLine(text string) {
	f := append(strings.Fields(text), "", "")
	facts := session.Auth{Mechanism: f[1], Username: f[2]}
	if s.auth != nil {
		facts = *s.auth
	}
	s.waiting = append(s.waiting, "AUTH")
	s.add(session.Entry{Leg: session.App, From: session.FromApp, Kind: session.KindAuth, Phase: session.PhaseAuth, Verb: "AUTH", Text: "AUTH " + f[1] + " ***", Auth: &facts})
}

func (s *script) reply(from session.Origin, text string) {
	text = strings.ReplaceAll(text, `\n`, "\n")
	verb := ""
	if len(s.waiting) > 0 {
		verb, s.waiting = s.waiting[0], s.waiting[1:]
	}
	e := session.Entry{Leg: session.Upstream, From: from, Kind: session.KindReply, Verb: verb, Text: text, Code: code(s.t, text), Secure: s.secure[session.Upstream]}
	if r, ok := wire.ParseReply(text); ok {
		e.Enhanced = r.Enhanced
	}
	e.Phase = map[string]session.Phase{"": session.PhaseGreeting, "MAIL": session.PhaseMail, "RCPT": session.PhaseRcpt, "DATA": session.PhaseData, ".": session.PhaseDot, "AUTH": session.PhaseAuth, "QUIT": session.PhaseQuit}[verb]
	if verb == "" && from == session.FromUpstream {
		if s.greeted {
			e.Phase = session.PhaseHelo
		} else {
			e.Kind, s.greeted = session.KindGreeting, true
		}
	}
	if from == session.FromProxy {
		e.Leg = session.App
	}
	if verb == "DATA" && e.Code == 354 {
		s.waiting = append(s.waiting, ".")
	}
	s.add(e)
}

func code(t testing.TB, text string) int {
	t.Helper()
	n, _, _, ok := wire.ReplyLine([]byte(strings.SplitN(text, "\n", 2)[0]))
	if !ok {
		t.Fatalf("%q is no reply", text)
	}
	return n
}

func side(name string) session.Side {
	if name == "app" {
		return session.App
	}
	return session.Upstream
}

// causes returns the causes of findings, in order.
func causes(findings []inspect.Finding) string {
	var ids []string
	for _, f := range findings {
		ids = append(ids, f.Cause)
	}
	return strings.Join(ids, " ")
}
