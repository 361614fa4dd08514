package web

import (
	"math"
	"strconv"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// Time that passed between two lines is drawn as space: four steps for each
// tenfold of the least.
const (
	leastGap = 10 * time.Millisecond
	namedGap = time.Second // from here on a gap says how long it is
	mostGap  = 20          // steps; the style sheet has a rule for each
)

// after puts what passed since the previous entry before a row. What a probe
// took passed after the session, and is not drawn.
func (r *row) after(past []session.Entry, e *session.Entry) {
	previous := &past[len(past)-1]
	d := e.At.Sub(previous.At)
	if d < leastGap || e.Kind == session.KindProbe || previous.Kind == session.KindProbe {
		return
	}
	steps := math.Round(4 * math.Log10(float64(d)/float64(leastGap)))
	r.Class = strings.TrimPrefix(r.Class+" n"+strconv.Itoa(min(max(int(steps), 1), mostGap)), " ")
	if d >= namedGap {
		r.Passed = inspect.Took(d) + ", " + awaited(past, e)
	}
}

// awaited says whom the time before an entry was spent on.
func awaited(past []session.Entry, e *session.Entry) string {
	switch {
	case e.Lookup != nil:
		return "waiting for the resolver"
	case e.Dial != nil:
		return "waiting for the connection"
	case e.TLS != nil:
		return "in the handshake with the " + e.Leg.String()
	case e.Odd == session.OddTimeout:
		return "nothing came from the " + e.Leg.String()
	case e.Kind == session.KindData:
		return "while the app sent the message"
	case e.Kind == session.KindClose || e.Kind == session.KindError:
		return idle(past)
	case e.From == session.FromProxy:
		return "nothing was said"
	}
	return "waiting for the " + e.From.String()
}

// idle says who let the time pass at whose end a connection went: whose turn it
// was, whichever side gave up.
func idle(past []session.Entry) string {
	if last, side := turn(past); last != nil {
		return "waiting for the " + side.String()
	}
	return "nothing was said"
}
