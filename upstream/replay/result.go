package replay

import (
	"slices"
	"time"

	"smtp-proxy/proxy/session"
)

// Step is one thing that was sent again, and the replies to it.
type Step struct {
	Command       string // "." is the end of a message; empty for a reply to nothing, such as the greeting
	Recorded, Now string // the replies; empty where none came
	Same          bool   // the two mean the same
	Why           string // in which way they do not
	Own           bool   // the player's own RSET or RCPT: nothing is recorded to compare it with

	RecordedWait, Wait time.Duration // from the command to its reply
}

// Result is what came of a recording that was played.
type Result struct {
	Steps     []Step
	NotSent   []string      // what the app said then and nobody said now, each with its reason
	Reached   session.Phase // the furthest phase with a good reply
	Recorded  session.Phase // the same of the record, as far as it was to be said again
	Delivered int           // messages that were accepted now
	Err       error         // the conversation broke off where the record goes on

	failed session.Phase // of the first thing that was refused now and not then
}

// omission is what the app said then and nobody says now.
type omission struct {
	at   int // index of it in the record
	text string
}

func (s *Script) omit(at int, text string) {
	s.omissions = append(s.omissions, omission{at, text})
	s.NotSent = append(s.NotSent, text)
}

// asSaid lists omissions as the app went through them, whenever they were
// decided.
func asSaid(list []omission) []string {
	slices.SortStableFunc(list, func(a, b omission) int { return a.at - b.at })
	texts := []string{}
	for _, o := range list {
		texts = append(texts, o.text)
	}
	return texts
}

// Identical reports whether everything that was sent got the reply of the
// record.
func (r Result) Identical() bool {
	return r.Err == nil && !slices.ContainsFunc(r.Steps, func(s Step) bool { return !s.Same })
}

// Short reports whether the session did not get as far as the recording, and
// the phase that it failed in.
func (r Result) Short() (phase session.Phase, short bool) {
	return r.failed, r.failed != "" && rank(r.Reached) < rank(r.Recorded)
}

// rank orders the phases as a session goes through them. Leaving is no
// progress.
func rank(p session.Phase) int {
	return slices.Index([]session.Phase{
		session.PhaseConnect, session.PhaseGreeting, session.PhaseHelo, session.PhaseTLS, session.PhaseAuth,
		session.PhaseMail, session.PhaseRcpt, session.PhaseData, session.PhaseDot,
	}, p)
}
