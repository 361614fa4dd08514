package replay

import (
	"crypto/tls"
	"errors"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream"
)

// Options says how the app's part is to be played. The zero value is a dry
// run: nothing in it can deliver a message.
type Options struct {
	To      []string     // deliver to these instead of the recorded recipients
	Deliver bool         // deliver to the recorded recipients; To goes before it
	Pace    bool         // keep the recorded pauses of the app
	Auth    *Credentials // nil leaves out what the app said to sign in
	TLS     *tls.Config  // trusts the certificate on the app's leg; nil trusts the system's roots

	Timeout time.Duration // for each reply; 0 means 5 min (RFC 5321, section 4.5.3.2)
	OnStep  func(Step)    // called for each step when its reply is in, in order; may be nil
}

// Credentials sign in anew: a record holds none.
type Credentials = upstream.Credentials

// dry reports whether no message may leave.
func (o Options) dry() bool { return len(o.To) == 0 && !o.Deliver }

// Script is what the app said, as far as it can and may be said again.
type Script struct {
	NotSent  []string      // what is left out from the start, each with its reason
	Recorded session.Phase // the furthest phase with a good reply, of what is said again

	recording Recording
	said      []spoken
	omissions []omission // NotSent, with their places
	oddities  int        // recorded lines of the upstream that were no replies
}

// spokenKind says what one thing said is on the wire.
type spokenKind uint8

const (
	spokenNothing spokenKind = iota // a reply is due all the same: the greeting, or one to no command
	spokenLine                      // a command, with the octets of BDAT behind it
	spokenContent                   // message text and the line that ends it
	spokenAuth                      // a whole AUTH exchange
	spokenTLS                       // a handshake
	spokenEnd                       // the end of the app's direction
)

// spoken is one thing that the app said, and what was replied to it.
type spoken struct {
	kind    spokenKind
	text    string // without its CRLF
	verb    string
	phase   session.Phase
	at      time.Time
	index   int            // in the record
	awaited int            // index of the latest one whose reply was in before this was said; -1 for none
	reply   *session.Entry // as the app got it; nil when none came
	message int            // number of the transaction it belongs to; -1 before the first
	own     bool           // the player's: it stands in no record
	unheard bool           // the app had left before the reply

	octets   int64  // of content or a chunk
	complete bool   // all of it was passed on
	skip     int64  // octets of the same message that come before it and are not sent
	why      string // it cannot be said again
	failed   bool   // of a handshake

	mechanism string // of AUTH
	initial   bool   // the exchange began with the command
	cancelled bool   // the app broke it off
}

// good reports whether the recorded reply was an acceptance.
func (s *spoken) good() bool { return s.reply != nil && s.accepts(s.reply.Code) }

// accepts reports whether a reply means that the app may go on. A challenge is
// not the end of an AUTH exchange.
func (s *spoken) accepts(code int) bool {
	return code >= 200 && code < 300 || code/100 == 3 && s.kind != spokenAuth
}

// advances reports whether an acceptance brings the session into its phase;
// NOOP and the like belong to any.
func (s *spoken) advances() bool {
	switch s.verb {
	case "EHLO", "HELO", "LHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "BDAT", ".":
		return !s.own
	}
	return s.kind == spokenNothing && s.phase == session.PhaseGreeting
}

// waited is how long the app waited for the reply.
func (s *spoken) waited() time.Duration {
	if s.at.IsZero() || s.reply == nil {
		return 0
	}
	return s.reply.At.Sub(s.at)
}

// ErrNothing says that no word of a session can be said again.
var ErrNothing = errors.New("nothing of this session can be said again")

// Script finds what the app said in the record, and what of it is sent with
// these options. An error means that nothing may be sent: a message is to be
// delivered that was not kept whole.
func (r Recording) Script(o Options) (Script, error) {
	if err := o.check(); err != nil {
		return Script{}, err
	}
	heard := listen(r.Entries)
	p := &plan{options: o, recording: r, script: Script{recording: r, oddities: heard.oddities}}
	p.all(heard.said)
	for _, text := range heard.lost {
		p.script.omit(len(heard.said), text)
	}
	if len(p.script.said) == 0 {
		return p.script, ErrNothing
	}
	p.script.Recorded = furthest(p.script.said)
	return p.script, p.wantBodies()
}

// Groups returns the lines as they are sent: those of a group leave together.
// Message text stands as ".", a handshake as "(TLS)".
func (s Script) Groups() (groups [][]string) {
	last := -2
	for i := range s.said {
		one := &s.said[i]
		switch {
		case one.kind == spokenNothing || one.kind == spokenEnd:
			continue
		case one.awaited != last || one.kind != spokenLine && one.kind != spokenContent:
			groups = append(groups, nil)
		}
		last = one.awaited
		groups[len(groups)-1] = append(groups[len(groups)-1], one.label())
	}
	return groups
}

// label is how a person knows a thing said.
func (s *spoken) label() string {
	switch s.kind {
	case spokenContent:
		return "."
	case spokenTLS:
		return "(TLS)"
	case spokenAuth:
		return "AUTH " + s.mechanism
	}
	return s.text
}

// furthest returns the last of the phases in which the app was given leave.
func furthest(said []spoken) session.Phase {
	reached := session.PhaseConnect
	for i := range said {
		if s := &said[i]; s.advances() && s.good() && rank(s.phase) > rank(reached) {
			reached = s.phase
		}
	}
	return reached
}

// verbOf is the verb that a smarthost reads in a line, whatever the record
// calls it.
func verbOf(text string) string { return wire.ParseCommandText(text).Verb }
