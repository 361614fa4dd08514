package replay

import (
	"fmt"
	"time"

	"smtp-proxy/proxy/session"
)

// slack is what one of two waits has to be longer by, at least, to say
// something: what is usual from one session to the next in a phase. The end of
// a session is nobody's loss.
var slack = map[session.Phase]time.Duration{
	session.PhaseConnect:  300 * time.Millisecond,
	session.PhaseGreeting: time.Second,
	session.PhaseHelo:     500 * time.Millisecond,
	session.PhaseTLS:      500 * time.Millisecond,
	session.PhaseAuth:     time.Second, // a delay before an answer slows guessing down
	session.PhaseMail:     500 * time.Millisecond,
	session.PhaseRcpt:     time.Second, // the recipient may be looked up elsewhere
	session.PhaseData:     500 * time.Millisecond,
	session.PhaseDot:      2 * time.Second, // a message is filtered, and may be sent on before the answer
}

// timesLonger is the ratio from which on a wait is materially longer.
const timesLonger = 3

// slower tells of two waits of which one is materially longer.
func slower(phase session.Phase, where string, a, b time.Duration) []Difference {
	least, ok := slack[phase]
	short, long, who := a, b, "the second"
	if a > b {
		short, long, who = b, a, "the first"
	}
	if !ok || long-short < least || long < timesLonger*short {
		return nil
	}
	return []Difference{{RankTime, "time: " + where, took(a), took(b), fmt.Sprintf("%s took %s longer", who, took(long-short))}}
}

// took is a wait as a person reads it.
func took(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}
