package diagnose

import (
	"fmt"
	"slices"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/policy"
	"smtp-proxy/proxy/session"
)

// restful is a pause between sessions behind which a limit on their rate
// starts afresh.
const restful = time.Hour

// run is a row of good sessions, the refusals that ended it, and the recovery.
type run struct {
	good    int
	from    time.Time // when the first good one began
	refused time.Time // the first refusal; zero while there is none
	again   time.Time // when the first good session behind it began; zero while there is none
	open    int       // sessions at once at the first refusal
}

// pattern adds to a refusal that asks for a slower pace what the sessions show
// of the limit: how many went well, how many were open at once, and after what
// time the upstream took mail again.
func (p *past) pattern(f *inspect.Finding, s *inspect.Session, set *rules.Set) {
	at := slowedAt(s, f)
	if at.IsZero() {
		return
	}
	seen, now := p.runs(s, at)
	r := now
	if n := len(seen); n > 0 {
		r = seen[n-1]
	}
	if r.good < 2 && len(seen) < 2 || r.again.IsZero() && !aboutRate(f.Cause) {
		return // one session proves no limit, and neither does any refusal
	}
	words := r.words()
	f.Evidence = append(f.Evidence, inspect.Evidence{Text: "pattern over sessions: " + words})
	f.Explanation += " The sessions to this upstream show the limit: " + words + "."
	p.learn(f, s, set, r.again.Sub(r.refused))
}

// learn puts the time after which the upstream took mail again into the
// advice, when the reply names none.
func (p *past) learn(f *inspect.Finding, s *inspect.Session, set *rules.Set, wait time.Duration) {
	if e := entryOf(s, f); e != nil {
		if _, named := policy.Delay(e.Text, e.At); named {
			return
		}
	}
	cause, ok := set.Cause(f.Cause)
	if !ok || f.Retry.Advice != policy.RetryLater {
		return
	}
	class := cause.Class
	if class == policy.ClassByCode {
		class = policy.ClassBusy
	}
	if learned, ok := policy.Learned(class, wait); ok {
		f.Retry = retry(learned)
	}
}

// runs sorts the sessions into runs. seen are those that came to their end
// with a recovery; now is the one that the session at hand belongs to.
func (p *past) runs(s *inspect.Session, at time.Time) (seen []run, now run) {
	var before time.Time
	for _, e := range p.episodes {
		switch {
		case !e.accepted && e.slowed.IsZero():
			continue
		case now.refused.IsZero() && e.started.Sub(before) > restful:
			now = run{}
		}
		before = e.started
		if !e.slowed.IsZero() {
			now.refuse(e.slowed)
			continue
		}
		if !now.refused.IsZero() && e.started.After(now.refused) {
			now.again = e.started
			if now.good > 0 {
				seen = append(seen, now)
			}
			now = run{}
		}
		if now.good++; now.good == 1 {
			now.from = e.started
		}
	}
	now.refuse(at)
	for i := range seen {
		seen[i].open = p.openAt(seen[i].refused, s)
	}
	now.open = p.openAt(now.refused, s)
	return seen, now
}

func (r *run) refuse(at time.Time) {
	if r.refused.IsZero() || at.Before(r.refused) {
		r.refused = at
	}
}

// openAt counts the sessions that were open at a moment, s among them.
func (p *past) openAt(at time.Time, s *inspect.Session) (n int) {
	during := func(from, to time.Time) {
		if !from.After(at) && (to.IsZero() || !to.Before(at)) {
			n++
		}
	}
	during(s.Started, s.Ended)
	for _, e := range p.episodes {
		during(e.started, e.ended)
	}
	for _, from := range p.open {
		during(from, time.Time{})
	}
	return n
}

func (r run) words() string {
	text := fmt.Sprintf("%s went well within %s, then came the first refusal (%s) with %s open at once",
		sessions(r.good), span(r.refused.Sub(r.from)), r.refused.UTC().Format("15:04:05 MST"), sessions(r.open))
	if !r.again.IsZero() {
		text += fmt.Sprintf("; the next good one began %s later", span(r.again.Sub(r.refused)))
	}
	return text
}

func sessions(n int) string {
	if n == 1 {
		return "1 session"
	}
	return fmt.Sprintf("%d sessions", n)
}

// span words a time for which even less than a second may be much.
func span(d time.Duration) string {
	if d < time.Second {
		return "less than a second"
	}
	return policy.Words(d)
}

// slowedAt tells when a session was told to slow down, as its first finding
// has it; it returns the zero time when it was not.
func slowedAt(s *inspect.Session, f *inspect.Finding) time.Time {
	at, phase, temporary := s.Ended, s.Phase, len(s.Codes) > 0 && s.Codes[0][0] == '4'
	if e := entryOf(s, f); e != nil {
		at, phase, temporary = e.At, e.Phase, e.Code/100 == 4
	}
	if aboutRate(f.Cause) || temporary && early(phase) && mayBeAboutRate(f.Cause) {
		return at
	}
	return time.Time{}
}

// aboutRate reports a cause that says itself that there is too much.
func aboutRate(cause string) bool {
	return slices.Contains([]string{"rate.connections", "rate.messages", "rate.quota-exceeded", "auth.too-many-attempts"}, cause)
}

// mayBeAboutRate reports a cause behind which servers hide a limit.
func mayBeAboutRate(cause string) bool {
	return slices.Contains([]string{"connect.rejected", "upstream.unavailable", "upstream.overloaded", "unclassified.temporary"}, cause)
}

// early reports a phase in which a refusal is not about recipients or content.
func early(p session.Phase) bool {
	return p != session.PhaseRcpt && p != session.PhaseData && p != session.PhaseDot
}

// entryOf returns the entry that a finding rests on, nil when it is not at
// hand.
func entryOf(s *inspect.Session, f *inspect.Finding) *session.Entry {
	if len(f.Evidence) == 0 {
		return nil
	}
	for i := range s.Events {
		if s.Events[i].Seq == f.Evidence[0].Event {
			return &s.Events[i]
		}
	}
	return nil
}
