// Package inspect holds the words in which the product speaks of a session:
// [Session], [Message], [Finding]. It assembles a session from the entries of
// its history and writes the JSON that the commands, the page and the exports
// share.
//
// It stores nothing and judges nothing; that is the business of the packages
// below it. Its one rule: what cannot be understood is left out, never
// invented.
package inspect

import (
	"time"

	"smtp-proxy/proxy/session"
)

// Outcome is what became of a session.
type Outcome string

// The outcomes.
const (
	Delivered Outcome = "delivered" // every message and every recipient was accepted
	Partial   Outcome = "partial"   // some recipients were refused
	Rejected  Outcome = "rejected"  // the smarthost said no
	Failed    Outcome = "failed"    // connection, TLS or AUTH never got as far as a message
	Aborted   Outcome = "aborted"   // one side left in mid-transaction
	NoMail    Outcome = "no-mail"   // no transaction and no fault
	Open      Outcome = "open"      // still running, or cut off by a kill until the next start
)

// Session is one relayed session as a whole.
type Session struct {
	ID       string
	Started  time.Time
	Ended    time.Time // zero while open
	Route    string
	Linked   string // the session that this one repeats
	App      AppLeg
	Upstream UpstreamLeg
	Auth     *Auth
	Messages []Message
	Outcome  Outcome
	Edits    []string
	Findings []Finding
	Events   []session.Entry // the history; nil in lists
	Dropped  int             // entries that the record lacks
	Phase    session.Phase   // the furthest phase reached; quit does not count
	Codes    []string        // distinct codes of refusing replies, "550 5.1.1", in order; at most 32
	Omitted  int             // messages beyond those listed, which are the first 10,000 of a session
	Direct   *Direct         // what would be without the proxy; nil where that does not matter

	Passthrough bool // TLS was left end to end between app and smarthost
}

// AppLeg is the app's side of a session.
type AppLeg struct {
	Addr string       `json:"addr"`
	Helo string       `json:"helo"`
	TLS  *session.TLS `json:"tls"`
}

// UpstreamLeg is the smarthost's side of a session.
type UpstreamLeg struct {
	Name     string       `json:"name"`     // host:port as configured
	Addr     string       `json:"addr"`     // ip:port that answered, empty when none did
	Provider string       `json:"provider"` // gmail, ses …, empty when unknown
	TLS      *session.TLS `json:"tls"`
}

// Auth is the last AUTH exchange of a session.
type Auth struct {
	session.Auth
	Accepted bool `json:"accepted"`
}

// Message is one mail transaction, begun by a MAIL command.
type Message struct {
	From      string      `json:"from"`
	To        []Recipient `json:"to"`
	Size      int64       `json:"size"` // octets of the message as sent, dot-stuffing included
	Subject   string      `json:"subject"`
	MessageID string      `json:"message_id"`
	Code      int         `json:"code"` // the verdict: of the end of data, else of the command that ended the transaction; 0 when none came
	Enhanced  string      `json:"enhanced"`
	Text      string      `json:"text"`
	Captured  string      `json:"captured,omitempty"` // full, headers, none, cut
	Refused   int         `json:"refused,omitempty"`  // refused recipients, those that are not listed included
	Omitted   int         `json:"omitted,omitempty"`  // recipients beyond those listed, which are the first 1000
}

// Recipient is one RCPT of a message and the reply to it.
type Recipient struct {
	Addr     string `json:"addr"`
	Code     int    `json:"code"`
	Enhanced string `json:"enhanced"`
	Text     string `json:"text"`
}

// Certainty is how far a finding may be relied on.
type Certainty string

// The degrees of certainty.
const (
	Certain  Certainty = "certain" // the evidence proves it
	Likely   Certainty = "likely"
	Possible Certainty = "possible" // one of several readings
)

// Finding is one diagnosed failure.
type Finding struct {
	Cause       string      `json:"cause"` // id from the catalogue
	Certainty   Certainty   `json:"certainty"`
	Title       string      `json:"title"`
	Explanation string      `json:"explanation"`
	Side        string      `json:"side"` // who has to act: app, operator, network, upstream, recipient
	Evidence    []Evidence  `json:"evidence"`
	RuledOut    []string    `json:"ruled_out,omitempty"`
	Fix         []string    `json:"fix"`
	Retry       Retry       `json:"retry"`
	Changed     []string    `json:"changed,omitempty"` // what is new since the last session that worked, the most telling first
	Recurrence  *Recurrence `json:"recurrence,omitempty"`
	Refs        []string    `json:"refs"`
	Rule        string      `json:"rule,omitempty"` // the rule or detector that found it
}

// Evidence points at the entry that shows a finding.
type Evidence struct {
	Event int    `json:"event"` // Seq of the entry; 0 when it is no entry of the session
	Text  string `json:"text"`
}

// Retry is what to do about sending again.
type Retry struct {
	Advice   string `json:"advice"`     // now, later, after-fix, never
	AfterS   int    `json:"after_s"`    // seconds before the first try; 0 when none is named
	Schedule []int  `json:"schedule_s"` // seconds between tries, first to last
	Text     string `json:"text"`
}

// Recurrence is how often a cause was seen for an upstream of late.
type Recurrence struct {
	Seen  int       `json:"seen"`
	Of    int       `json:"of"`    // sessions to this upstream, the one at hand included
	Since time.Time `json:"since"` // when the first of them began
}

// Healthy reports whether nothing was found.
func (s *Session) Healthy() bool { return len(s.Findings) == 0 }
