package replay

import (
	"slices"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
)

// Model is a smarthost as recordings of it show it: what it answers to what,
// after how long, and where it leaves. It is not changed once it is learned.
//
// How it is asked: each command that the smarthost has answered is an exchange,
// filed under its moment, which is the command with what the smarthost's answer
// may depend on. A recording that shows a moment several times holds the
// answers in order; of several recordings the newest that shows it counts.
type Model struct {
	exchanges map[string][]*exchange // verb -> newest recording first
	greeting  *exchange              // nil when no connection came about
	handshake *Handshake             // the newest; nil when there was none
	implicit  bool                   // TLS came before the greeting
	clear     bool                   // an app spoke in clear, and the smarthost under TLS
	sealed    bool                   // what followed TLS could not be read
	cut       bool                   // an answer is longer than its record
	began     time.Time              // the newest recording
	failure   string                 // of the newest connection that did not come about
}

// Handshake is what one TLS handshake with the smarthost showed.
type Handshake struct {
	session.TLS
	Fault *session.Fault // nil when it succeeded
	At    time.Time

	rejects int // the alert with which the smarthost left afterwards: it wants a certificate
}

// exchange is a moment and what the smarthost answered whenever it came.
type exchange struct {
	moment
	recording int
	answers   []*answer
}

// answer is what the smarthost did when it was its turn. Without an act it
// stays and says nothing.
type answer struct {
	at   time.Time
	code int
	acts []act

	challenges []act // of AUTH, before the last reply
	initial    bool  // of AUTH: the app's first line held an answer
	early      bool  // of a message: before its end
	octets     int64 // of a message: what had come when the smarthost left; 0 when all had
}

// act is one thing that the smarthost does, after a wait.
type act struct {
	wait time.Duration
	text string // lines joined by "\n"; empty for an ending
	part bool   // the text is the beginning of a line that the record cut off
	end  ending
}

// ending is how the smarthost leaves.
type ending uint8

const (
	stays  ending = iota
	closes        // in order: FIN, under TLS behind close_notify
	drops         // FIN alone, where TLS wants close_notify first
	resets        // RST
)

// Learn returns the smarthost of recordings, in whatever order they are given.
func Learn(recordings ...Recording) *Model {
	m := &Model{exchanges: map[string][]*exchange{}}
	newest := slices.Clone(recordings)
	slices.SortStableFunc(newest, func(a, b Recording) int { return begin(b).Compare(begin(a)) })
	for i, r := range newest {
		l := &learner{model: m, recording: i, seen: map[moment]*exchange{}}
		for k := range r.Entries {
			l.read(&r.Entries[k])
		}
		l.finish()
		if i == 0 {
			m.began = begin(r)
		}
	}
	return m
}

func begin(r Recording) time.Time {
	if len(r.Entries) == 0 {
		return time.Time{}
	}
	return r.Entries[0].At
}

// Reached reports whether any recording shows a connection. If not, failure
// says in the recorder's words why the newest did not come about; a closed port
// is all that could be served.
func (m *Model) Reached() (ok bool, failure string) { return m.greeting != nil, m.failure }

// Implicit reports whether TLS comes before the greeting.
func (m *Model) Implicit() bool { return m.implicit }

// Handshake returns the newest handshake with the smarthost, or nil.
func (m *Model) Handshake() *Handshake { return m.handshake }

// Lacks says what the recordings do not hold, a sentence each.
func (m *Model) Lacks() (all []string) {
	if m.sealed {
		all = append(all, "What app and smarthost said under TLS was theirs alone (--tls passthrough): only what came before it is played.")
	}
	if m.cut {
		all = append(all, "An answer was longer than what the record keeps of it: only its beginning is played.")
	}
	if m.provesItself() {
		all = append(all, "SCRAM makes the smarthost prove that it knows the password, which no record holds: an app that signs in so gives up at the first challenge.")
	}
	if m.clear {
		all = append(all, "The recorded app spoke in clear, and the relay made TLS with the smarthost: an app in clear gets the same replies.")
	}
	return all
}

// provesItself reports whether an app signed in by a mechanism that asks the
// smarthost for a proof (RFC 5802).
func (m *Model) provesItself() bool {
	return slices.ContainsFunc(m.exchanges["AUTH"], func(x *exchange) bool { return strings.HasPrefix(x.arg, "SCRAM-") })
}
