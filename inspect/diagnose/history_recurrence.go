package diagnose

import (
	"fmt"
	"slices"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/policy"
)

// From how many sessions on their number says something.
const (
	enoughForGlitch = 10 // one failure among fewer proves nothing
	enoughForAlways = 3
)

// recur says how often a cause was seen, and what follows from that.
func (p *past) recur(f *inspect.Finding, s *inspect.Session) {
	r := p.recurrence(f.Cause, s.Started)
	f.Recurrence = &r
	if !transport(f.Cause) {
		if familyOf(f.Cause) == "tls" && r.Seen == r.Of && r.Of >= enoughForAlways {
			f.Explanation += fmt.Sprintf(" All of the last %d sessions to this upstream failed like this: that is a configuration error, not a glitch.", r.Of)
		}
		return
	}
	switch good, since := p.streak(f.Cause); {
	case r.Seen == 1 && r.Of >= enoughForGlitch && p.quiet():
		f.Explanation += fmt.Sprintf(" It is the only one of the last %d sessions to this upstream that failed like this: a glitch, not a configuration error.", r.Of)
		f.Retry = retry(policy.Advice(policy.ClassNow, policy.Said{}))
	case r.Seen == r.Of && r.Of >= enoughForAlways:
		f.Explanation += fmt.Sprintf(" All of the last %d sessions to this upstream failed like this: that is a configuration error (a setting here, a firewall, the smarthost's own), not a glitch.", r.Of)
		f.Retry.Text = fmt.Sprintf("Sending again alone will hardly help, as all of the last %d sessions failed like this. %s", r.Of, f.Retry.Text)
	case good && since+1 >= enoughForAlways:
		f.Explanation += fmt.Sprintf(" It worked until %s; the %d sessions since then have all failed like this.", day(p.lastAccepted()), since+1)
	}
}

// recurrence counts the sessions with a cause, the one at hand included.
func (p *past) recurrence(cause string, started time.Time) inspect.Recurrence {
	r := inspect.Recurrence{Seen: 1, Of: 1, Since: started}
	episodes := p.episodes
	if len(episodes) >= maxEpisodes {
		episodes = episodes[len(episodes)-maxEpisodes+1:]
	}
	for _, e := range episodes {
		r.Of++
		if slices.Contains(e.causes, cause) {
			r.Seen++
		}
		if e.started.Before(r.Since) {
			r.Since = e.started
		}
	}
	r.Since = r.Since.UTC()
	return r
}

// quiet reports whether nearly all went well, so that one failure stands out.
func (p *past) quiet() bool {
	failed := 0
	for _, e := range p.episodes {
		if len(e.causes) > 0 {
			failed++
		}
	}
	return failed*10 <= len(p.episodes)
}

// streak counts the latest sessions that all ended with a cause; worked says
// that one before them got mail accepted.
func (p *past) streak(cause string) (worked bool, n int) {
	for _, e := range slices.Backward(p.episodes) {
		if !slices.Contains(e.causes, cause) {
			return e.accepted, n
		}
		n++
	}
	return false, n
}

func (p *past) lastAccepted() (at time.Time) {
	for _, e := range p.episodes {
		if e.accepted {
			at = e.started
		}
	}
	return at
}

// transport reports a cause that may be a passing trouble of the path.
func transport(cause string) bool {
	switch cause {
	case "connect.dns-failure", "connect.refused", "connect.timeout", "connect.unreachable", "connect.reset",
		"connect.closed", "connect.no-greeting", "tls.handshake-timeout", "tls.handshake-reset",
		"tls.handshake-corrupt", "upstream.closed", "upstream.timeout":
		return true
	}
	return false
}
