package diagnose

import (
	"net"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// facts is what the entries of a session show, read once for all detectors.
type facts struct {
	set   *rules.Set
	s     *inspect.Session
	built time.Time

	memory *memory // nil where only the session itself matters
	before *past   // what past has read; nil until then
	report func(error)

	host, port string
	provider   string

	connected bool              // a connection to the upstream stood
	greeting  *session.Entry    // the upstream's first reply
	hello     [2]*session.Entry // the upstream's EHLO reply in clear, and under TLS
	tls       [2]*session.Entry // the last handshake of the proxy's own on each leg
	shaken    [2]*session.Entry // the handshake that app and upstream made with each other
	probes    []*session.Entry  // what was asked of the proxy's own accord
	closed    [2]*session.Entry // how each leg ended
	last      [2]*session.Entry // what came last from each side
	failures  []*session.Entry  // failed look-ups and dials
	notes     []*session.Entry  // with an oddity
	replies   []reply           // that the app got, in order
	commands  []*session.Entry  // of the app that have no reply yet
	auth      authFacts
	mails     []transaction
	inBody    bool // octets of a message were under way at the end of the record
}

// reply is one reply and what it answers.
type reply struct {
	*session.Entry
	command *session.Entry // nil for the greeting, the end of data, and replies to nothing
	mail    int            // index into facts.mails, -1 outside a transaction
	rcpt    string         // recipient of a RCPT
	auth    string         // none, accepted, refused: the sign-in as it stood
	proxy   bool           // the proxy answered in the upstream's place
}

// authFacts is what became of the sign-in.
type authFacts struct {
	state     string // none, accepted, refused
	last      *session.Entry
	mechanism string
}

// transaction is one MAIL and what belongs to it.
type transaction struct {
	from     string
	refused  bool // the MAIL itself
	rcpts    int  // accepted
	denied   int  // refused recipients
	verdict  int  // code of the reply to the end of data, or of what ended it earlier
	finished bool
}

// read goes over the entries once.
func (f *facts) read() {
	f.host, f.port = f.s.Upstream.Name, ""
	if host, port, err := net.SplitHostPort(f.s.Upstream.Name); err == nil {
		f.host, f.port = host, port
	}
	f.auth.state = "none"
	for i := range f.s.Events {
		f.entry(&f.s.Events[i])
	}
}

func (f *facts) entry(e *session.Entry) {
	if e.From != session.FromProxy && e.Kind != session.KindProbe {
		f.last[e.Leg] = e
	}
	if e.Odd != "" {
		f.notes = append(f.notes, e)
	}
	switch e.Kind {
	case session.KindOpen:
		f.connected = f.connected || e.Leg == session.Upstream
	case session.KindError:
		f.failures = append(f.failures, e)
	case session.KindTLS:
		f.handshakeOf(e)
		f.connected = f.connected || e.Leg == session.Upstream
	case session.KindProbe:
		if e.Probe != nil {
			f.probes = append(f.probes, e)
		}
	case session.KindClose:
		f.closed[e.Leg] = e
	case session.KindCommand:
		f.command(e)
	case session.KindAuth:
		f.authLine(e)
	case session.KindData:
		f.inBody = false
	case session.KindGreeting, session.KindReply:
		f.reply(e)
	}
}

func (f *facts) handshakeOf(e *session.Entry) {
	if e.TLS != nil && e.TLS.Passthrough {
		f.shaken[e.Leg] = e
		return
	}
	f.tls[e.Leg] = e
}

func (f *facts) command(e *session.Entry) {
	if e.Own {
		return
	}
	f.commands = append(f.commands, e)
	if e.Verb == "MAIL" {
		f.mails = append(f.mails, transaction{from: address(e.Text)})
	}
}

// authLine notes the exchange; only the line that begins it waits for a reply
// of its own verb, as the core records them all as AUTH.
func (f *facts) authLine(e *session.Entry) {
	f.auth.last = e
	if e.Auth != nil {
		f.auth.mechanism = e.Auth.Mechanism
	}
	f.commands = append(f.commands, e)
}

// reply pairs a reply with the oldest waiting command of its verb.
func (f *facts) reply(e *session.Entry) {
	if e.Kind == session.KindGreeting && f.greeting == nil {
		f.greeting, f.connected = e, true
	}
	if e.Verb == "EHLO" && e.Code/100 == 2 && e.From == session.FromUpstream {
		f.hello[secureIndex(e.Secure)] = e
	}
	if e.Own {
		return
	}
	r := reply{Entry: e, mail: len(f.mails) - 1, auth: f.auth.state, proxy: e.From == session.FromProxy}
	if !r.proxy || e.Code != 421 { // a command that broke off has had no reply
		r.command = f.takeCommand(e.Verb)
	}
	if r.command != nil && e.Verb == "RCPT" {
		r.rcpt = address(r.command.Text)
	}
	f.replies = append(f.replies, r)
	if r.command != nil || !r.proxy {
		f.settle(&r)
	}
}

// settle notes what a reply does to the sign-in and the transaction.
func (f *facts) settle(r *reply) {
	if r.Verb == "DATA" {
		f.inBody = r.Code == 354
	}
	if r.Verb == "AUTH" && r.Code/100 != 3 {
		f.auth.settle(r.Code)
	}
	if r.mail < 0 {
		return
	}
	t := &f.mails[r.mail]
	switch r.Verb {
	case "MAIL":
		if r.Code >= 400 {
			t.refused, t.verdict, t.finished = true, r.Code, true
		}
	case "RCPT":
		if r.Code >= 400 {
			t.denied++
		} else {
			t.rcpts++
		}
	case "DATA":
		t.finished = r.Code >= 400
	case ".", "BDAT":
		if r.Verb == "." || r.Phase == session.PhaseDot || r.Code >= 400 {
			t.verdict, t.finished, f.inBody = r.Code, true, false
		}
	case "RSET", "QUIT":
		t.finished = true
	}
}

func (a *authFacts) settle(code int) {
	switch {
	case code == 235:
		a.state = "accepted"
	case code >= 400 && a.state != "accepted":
		a.state = "refused"
	}
}

// takeCommand takes the oldest command of a verb off the list of those that
// wait; those before it were answered by nothing that was recorded.
func (f *facts) takeCommand(verb string) *session.Entry {
	for i, c := range f.commands {
		if c.Verb == verb {
			f.commands = append(f.commands[:i:i], f.commands[i+1:]...)
			return c
		}
	}
	return nil
}

func secureIndex(secure bool) int {
	if secure {
		return 1
	}
	return 0
}

// hints are what may tell the provider.
func (f *facts) hints() rules.Hints {
	h := rules.Hints{Host: f.host}
	if f.greeting != nil {
		h.Banner = f.greeting.Text
	}
	for _, e := range f.hello {
		if e != nil {
			h.EHLO += e.Text
		}
	}
	return h
}

// note returns the first entry with an oddity, nil if there is none.
func (f *facts) note(odd session.Oddity) *session.Entry {
	for _, e := range f.notes {
		if e.Odd == odd {
			return e
		}
	}
	return nil
}

// offers reports whether the upstream's latest EHLO reply lists a keyword, and
// its parameters.
func (f *facts) offers(keyword string) (params string, ok bool) {
	for i := range f.hello {
		e := f.hello[len(f.hello)-1-i]
		if e == nil {
			continue
		}
		params, ok = offered(e.Text, keyword)
		return params, ok
	}
	return "", false
}

// offered looks a keyword up in the text of an EHLO reply.
func offered(ehlo, keyword string) (params string, ok bool) {
	for i, line := range strings.Split(ehlo, "\n") {
		if len(line) < 4 || i == 0 {
			continue
		}
		if name, p := wire.Keyword([]byte(line[4:])); name == keyword {
			params, ok = strings.TrimSpace(params+" "+p), true
		}
	}
	return params, ok
}

// delivered reports whether all that the app tried to send was accepted.
func (f *facts) delivered() bool {
	for _, t := range f.mails {
		if t.verdict/100 != 2 || t.denied > 0 {
			return false
		}
	}
	return len(f.mails) > 0
}

// address takes the address out of MAIL FROM:<a@b> SIZE=1 and the like.
func address(command string) string {
	_, rest, ok := strings.Cut(command, ":")
	if !ok {
		return ""
	}
	rest = strings.TrimSpace(rest)
	if begin := strings.IndexByte(rest, '<'); begin >= 0 {
		rest = rest[begin+1:]
		if end := strings.IndexByte(rest, '>'); end >= 0 {
			return rest[:end]
		}
	}
	rest, _, _ = strings.Cut(rest, " ")
	return rest
}
