package inspect

import (
	"strings"
	"time"

	"smtp-proxy/proxy/session"
)

// An Assembler makes a [Session] of its history, entry by entry.
//
// Its memory is bounded whatever the session does: it keeps the first and the
// last entries ([history]), the first 1000 recipients of a message, 10,000
// recipients and messages of a session, and counts of the rest. The store has
// every entry.
type Assembler struct {
	s       Session
	history history
	mail    mail
	state   state
	capture string
}

// state is what an outcome is judged by, beyond the messages.
type state struct {
	helloRefused bool
	tlsFailed    bool
	authRefused  bool
	proxyRefused bool // the proxy answered in the upstream's place
	greetBad     bool
	dialFailed   bool
	connected    bool
	stopping     bool
	killed       bool // the proxy died
	tunnel       bool // app and upstream are under TLS with each other
	left         bool // a side has ended its leg
	cut          bool // the tunnel ended in a reset
}

// Passthrough is the mode of a session whose TLS is left end to end.
const Passthrough = "passthrough"

// Limits of what is listed; the rest is counted.
const (
	maxEdits = 100
	maxCodes = 32
)

// NewAssembler returns the assembler of a session that begins.
func NewAssembler(info *session.Info) *Assembler {
	a := new(Assembler)
	a.Begin(info)
	return a
}

// Forget lets go of a session but for memory that serves the next. What was
// returned of it is not touched.
func (a *Assembler) Forget() {
	*a = Assembler{history: a.history.emptied(), mail: a.mail.emptied()}
}

// Begin begins with a session, in an assembler that has none.
func (a *Assembler) Begin(info *session.Info) {
	a.capture = "full"
	a.mail.current, a.mail.body = none, none
	a.s = Session{
		ID:       info.ID,
		Started:  info.Started,
		Route:    info.Route,
		Linked:   info.Linked,
		App:      AppLeg{Addr: info.AppAddr},
		Upstream: UpstreamLeg{Name: info.Upstream},
		Phase:    session.PhaseConnect,

		Passthrough: info.Mode == Passthrough,
	}
}

// Resume returns an assembler that goes on with a session read back from the
// store, its events included. It serves to close what a killed proxy left open.
func Resume(s *Session) *Assembler {
	a := NewAssembler(&session.Info{ID: s.ID, Started: s.Started, Route: s.Route, AppAddr: s.App.Addr, Upstream: s.Upstream.Name, Linked: s.Linked})
	a.s.Passthrough = s.Passthrough
	for i := range s.Events {
		a.Add(&s.Events[i])
	}
	for i := range min(len(s.Messages), len(a.s.Messages)) {
		kept, m := &s.Messages[i], &a.s.Messages[i]
		m.Subject, m.MessageID, m.Captured = kept.Subject, kept.MessageID, kept.Captured
	}
	if a.mail.flowing && a.mail.transaction(a.mail.body) != nil {
		a.cutOff()
	}
	a.s.Upstream.Provider, a.s.Findings = s.Upstream.Provider, s.Findings
	return a
}

// Capture says what is kept of messages from here on: full, headers or none.
func (a *Assembler) Capture(mode string) { a.capture = mode }

// Add takes the next entry, which must not be changed any more.
func (a *Assembler) Add(e *session.Entry) {
	a.history.add(e)
	a.advance(e.Phase)
	switch e.Kind {
	case session.KindOpen:
		a.open(e)
	case session.KindCommand:
		a.command(e)
	case session.KindGreeting, session.KindReply:
		a.reply(e)
	case session.KindAuth:
		a.auth(e)
	case session.KindTLS:
		a.tls(e)
	case session.KindData:
		a.mail.data(&a.s, e)
	case session.KindError:
		a.state.dialFailed = a.state.dialFailed || e.Leg == session.Upstream && e.Fault != nil
	case session.KindNote:
		a.note(e)
	case session.KindClose:
		a.note(e)
		a.leave(e)
	case session.KindProbe:
		a.s.probed(e)
	}
}

// Body takes the next octets of the message under way and reads its subject
// and its id from them.
func (a *Assembler) Body(b []byte) { a.mail.content(&a.s, b, a.capture) }

// cutOff says that the record of the message under way ends here, if any of it
// was to be kept.
func (a *Assembler) cutOff() {
	if m := a.mail.at(&a.s, a.mail.body); m != nil && m.Captured != "none" {
		m.Captured = "cut"
	}
}

// BodyLost says that octets of the message under way are missing from the
// record.
func (a *Assembler) BodyLost() {
	if m := a.mail.at(&a.s, a.mail.body); m != nil {
		m.Captured = "cut"
	}
}

// Message is the index of the message whose content is under way, or was last,
// and -1 before the first. It counts messages that are not listed, too.
func (a *Assembler) Message() int { return a.mail.body }

// Close says that the session has ended.
func (a *Assembler) Close(at time.Time) {
	a.s.Ended = at
	a.mail.close()
}

// Session returns the session as it stands: a copy that the caller may keep
// and give findings. Its lists are shared with the assembler until the next
// call of Add, and its events are those that were kept.
func (a *Assembler) Session() *Session {
	s := a.Summary()
	s.Events = a.history.appendTo(nil)
	return s
}

// Summary returns the same without its events.
func (a *Assembler) Summary() *Session {
	s := a.s
	s.Outcome = a.outcome()
	if s.Direct == nil {
		s.Direct = s.untested()
	}
	return &s
}

// Rest says that nothing may come for long.
func (a *Assembler) Rest() { a.history.rest() }

// AppendEvents appends copies of the entries that were kept, in order.
func (a *Assembler) AppendEvents(to []session.Entry) []session.Entry { return a.history.appendTo(to) }

// Last returns the Seq of the latest entry.
func (a *Assembler) Last() int { return a.history.last }

// advance keeps the furthest phase.
func (a *Assembler) advance(p session.Phase) {
	if rank(p) > rank(a.s.Phase) {
		a.s.Phase = p
	}
}

func rank(p session.Phase) int {
	switch p {
	case session.PhaseGreeting:
		return 1
	case session.PhaseHelo:
		return 2
	case session.PhaseTLS:
		return 3
	case session.PhaseAuth:
		return 4
	case session.PhaseMail:
		return 5
	case session.PhaseRcpt:
		return 6
	case session.PhaseData:
		return 7
	case session.PhaseDot:
		return 8
	}
	return 0
}

func (a *Assembler) open(e *session.Entry) {
	if e.Leg != session.Upstream {
		return
	}
	a.state.connected = true
	if e.Dial != nil {
		a.s.Upstream.Addr = e.Dial.Addr
	}
}

func (a *Assembler) command(e *session.Entry) {
	if e.Own || e.From != session.FromApp {
		return
	}
	if e.Verb == "EHLO" || e.Verb == "HELO" || e.Verb == "LHLO" {
		_, name, _ := strings.Cut(strings.TrimSpace(e.Text), " ")
		a.s.App.Helo = strings.TrimSpace(name)
	}
	a.mail.command(&a.s, e)
}

// reply takes a reply that the app got. The proxy's own dialogue counts only
// in so far as it was refused.
func (a *Assembler) reply(e *session.Entry) {
	a.code(e)
	if e.Own {
		return
	}
	refused := e.Code >= 400
	if e.From == session.FromProxy {
		a.state.proxyRefused = a.state.proxyRefused || refused
	}
	switch {
	case e.Kind == session.KindGreeting:
		a.state.greetBad = refused
	case e.Verb == "EHLO" || e.Verb == "HELO" || e.Verb == "LHLO":
		a.state.helloRefused = refused
	case e.Verb == "STARTTLS":
		a.state.tlsFailed = refused
	case e.Verb == "AUTH":
		a.authReply(e)
	default:
		a.mail.reply(&a.s, e)
	}
}

// code keeps the codes of refusals, which people search by.
func (a *Assembler) code(e *session.Entry) {
	if e.Code < 400 || len(a.s.Codes) >= maxCodes {
		return
	}
	code := codeText(e.Code, e.Enhanced)
	for _, c := range a.s.Codes {
		if c == code {
			return
		}
	}
	a.s.Codes = append(a.s.Codes, code)
}

func (a *Assembler) auth(e *session.Entry) {
	if e.Auth == nil {
		return
	}
	a.s.Auth = &Auth{Auth: *e.Auth}
}

func (a *Assembler) authReply(e *session.Entry) {
	if e.Code/100 == 3 {
		return
	}
	a.state.authRefused = e.Code >= 400
	if a.s.Auth != nil {
		auth := *a.s.Auth
		auth.Accepted = e.Code == 235
		a.s.Auth = &auth
	}
}

func (a *Assembler) tls(e *session.Entry) {
	if e.TLS == nil {
		a.state.tlsFailed = e.Fault != nil
		return
	}
	if e.TLS.Passthrough { // one handshake, told of for each leg
		a.s.Passthrough = true
		a.state.tlsFailed = a.state.tlsFailed || e.Fault != nil
		a.state.tunnel = !a.state.tlsFailed
	} else { // one that the proxy gave up, the session being over, has not failed
		a.state.tlsFailed = e.Fault != nil && e.Fault.Class != session.FaultLocal
	}
	if e.Leg == session.App {
		a.s.App.TLS = e.TLS
	} else {
		a.s.Upstream.TLS = e.TLS
	}
}

// leave judges how a side left a tunnel, of which nothing else is seen. A
// reset behind the other side's end hurts nobody: closing while the peer still
// speaks makes one.
func (a *Assembler) leave(e *session.Entry) {
	if a.state.tunnel && e.Fault != nil {
		switch e.Fault.Class {
		case session.FaultAlert: // 0 is close_notify, the alert of every orderly end
			a.state.tlsFailed = a.state.tlsFailed || e.Fault.Alert != 0
		case session.FaultHiddenAlert:
			a.state.tlsFailed = true
		case session.FaultReset:
			a.state.cut = a.state.cut || !a.state.left && e.Fault.Op != "handshake"
		}
	}
	a.state.left = true
}

func (a *Assembler) note(e *session.Entry) {
	switch e.Odd {
	case session.OddGap:
		a.s.Dropped += int(e.Bytes)
	case session.OddShutdown:
		a.state.stopping = true
		a.state.killed = a.state.killed || e.Kind == session.KindClose && e.From == session.FromProxy
	}
	if !e.Edit || len(a.s.Edits) >= maxEdits {
		return
	}
	for _, known := range a.s.Edits {
		if known == e.Text {
			return
		}
	}
	a.s.Edits = append(a.s.Edits, e.Text)
}
