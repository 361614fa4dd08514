package probe

import (
	"context"
	"fmt"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
)

const (
	nameClock  = "clock"
	causeClock = "tls.clock-skew"
)

// maxSkew is from where on two clocks are said to differ: what is signed for a
// time, tokens and DKIM among it, begins to fail there.
const maxSkew = 5 * time.Minute

// ClockStep compares this machine's clock with the smarthost's.
func (steps) ClockStep() step {
	return step{
		name: nameClock, rank: 80, after: []string{"dialogue"},
		about: "this machine's clock against the smarthost's",
		run:   func(_ context.Context, x *examination) { x.clock() },
	}
}

func (x *examination) clock() {
	c := clocksIn(x.known.dialogue)
	l := c.line()
	x.say(nameClock, l)
	e := session.Entry{Phase: session.PhaseGreeting, Text: l.Text, Probe: &session.Probe{Name: nameClock, Result: resultOK}}
	switch l.Status {
	case StatusSkip:
		e.Probe.Result = resultSkip
	case StatusWarn:
		e.Probe.Result, e.Probe.Cause = resultFail, causeClock
	}
	x.answer(x.prober.answer(x.target, e))
}

// clocks is what a session tells of the time.
type clocks struct {
	heard bool // the smarthost has said something

	told   bool
	theirs time.Time
	ours   time.Time // when it was told
	where  string    // it was told

	chain []session.Certificate // that was shown
	shown time.Time             // when, by our clock
}

// clocksIn reads a session. What the smarthost tells first, counts.
func clocksIn(entries []session.Entry) (c clocks) {
	for i := range entries {
		e := &entries[i]
		if e.Kind == session.KindTLS && e.Leg == session.Upstream && e.TLS != nil && len(e.TLS.Chain) > 0 {
			c.chain, c.shown = e.TLS.Chain, e.At
		}
		if e.From != session.FromUpstream || e.Kind != session.KindGreeting && e.Kind != session.KindReply {
			continue
		}
		c.heard = true
		if c.told || !tellsNow(e) {
			continue
		}
		if at, ok := toldTime(e.Text); ok {
			c.told, c.theirs, c.ours, c.where = true, at, e.At, placeOf(e)
		}
	}
	return c
}

// tellsNow reports whether a date in a reply is that of the reply: in others it
// may be that of a listing or an end of service. Exchange Online signs each
// refusal with its host and the time.
func tellsNow(e *session.Entry) bool {
	switch {
	case e.Kind == session.KindGreeting, e.Verb == "EHLO", e.Verb == "HELO", e.Verb == "QUIT":
		return e.Code/100 == 2
	}
	return strings.Contains(e.Text, ".prod.outlook.com 20")
}

func placeOf(e *session.Entry) string {
	if e.Kind == session.KindGreeting {
		return "its greeting"
	}
	return "its reply to " + e.Verb
}

// line is what a check says of the clock.
func (c clocks) line() Line {
	outside := c.outside()
	skew := c.ours.Sub(c.theirs)
	switch {
	case c.told && skew.Abs() >= maxSkew:
		return Line{Status: StatusWarn, Text: c.skewed(skew)}
	case c.told:
		return Line{Status: StatusOK, Text: fmt.Sprintf("this machine's clock agrees with the smarthost's: %s in %s, %s here", hour(c.theirs), c.where, hour(c.ours))}
	case outside != "":
		return Line{Status: StatusWarn, Text: outside}
	case !c.heard:
		return Line{Status: StatusSkip, Text: "not known: the smarthost has not said anything"}
	}
	return Line{Status: StatusSkip, Text: "not known: the smarthost does not tell the time"}
}

// skewed words a difference. One of whole hours is a zone more often than a
// clock.
func (c clocks) skewed(skew time.Duration) string {
	way := "ahead of"
	if skew < 0 {
		way = "behind"
	}
	text := fmt.Sprintf("this machine's clock is %s %s the smarthost's: %s here, %s in %s", skewWords(skew.Abs()), way, stamp(c.ours), stamp(c.theirs), c.where)
	switch rest := skew.Abs() % time.Hour; {
	case c.outside() != "":
		return text + "; the certificates are in date only by the other clock: set this one"
	case skew.Abs() < 15*time.Hour && (rest < time.Minute || rest > time.Hour-time.Minute):
		return text + "; whole hours are a time zone set wrong, there or here"
	}
	return text + "; set the one that is wrong: certificates, tokens and signatures hang on it"
}

// outside says that every certificate of the chain is out of date in the same
// direction: of a leaf alone that is neglect, of a chain it is the clock.
func (c clocks) outside() string {
	if len(c.chain) < 2 {
		return ""
	}
	early, late := true, true
	latest, soonest := c.chain[0].NotBefore, c.chain[0].NotAfter
	for _, cert := range c.chain {
		early, late = early && c.shown.Before(cert.NotBefore), late && c.shown.After(cert.NotAfter)
		if cert.NotBefore.After(latest) {
			latest = cert.NotBefore
		}
		if cert.NotAfter.Before(soonest) {
			soonest = cert.NotAfter
		}
	}
	switch {
	case early:
		return fmt.Sprintf("this machine's clock, at %s, seems to be behind: each of the smarthost's %d certificates begins later, the last one at %s", stamp(c.shown), len(c.chain), stamp(latest))
	case late:
		return fmt.Sprintf("this machine's clock, at %s, seems to be ahead: each of the smarthost's %d certificates has ended, the first one at %s", stamp(c.shown), len(c.chain), stamp(soonest))
	}
	return ""
}

// skewWords write a difference as far as it matters.
func skewWords(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return plural(int(d/day), "day")
	case d >= time.Hour:
		return d.Round(time.Minute).String()[:len(d.Round(time.Minute).String())-2]
	}
	return plural(int(d.Round(time.Minute)/time.Minute), "minute")
}

func hour(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
