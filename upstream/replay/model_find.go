package replay

import (
	"strings"
	"time"

	"smtp-proxy/proxy/wire"
)

// find returns the exchange that answers a moment, and how far it is from what
// was asked: the same command where there is one, else one of its verb whose
// answer most others got. Nil when none was ever answered there.
func (m *Model) find(q moment) (x *exchange, same bool) {
	if x = nearest(m.exchanges[q.verb], q, true); x != nil {
		return x, true
	}
	return m.usual(q), false
}

// nearest returns the newest exchange in the order of q that was signed in and
// under TLS as q is, or as nearly so as there is one.
func nearest(all []*exchange, q moment, exact bool) (best *exchange) {
	for _, x := range all {
		if x.order != q.order || exact && x.arg != q.arg {
			continue
		}
		if best == nil || distance(x, q) < distance(best, q) {
			best = x
		}
	}
	return best
}

func distance(x *exchange, q moment) (n int) {
	if x.authed != q.authed {
		n += 2
	}
	if x.secure != q.secure {
		n++
	}
	return n
}

// usual returns the newest exchange with the code that most of its verb got.
func (m *Model) usual(q moment) *exchange {
	near := nearest(m.exchanges[q.verb], q, false)
	if near == nil {
		return nil
	}
	count := map[int]int{}
	best := near
	for _, x := range m.exchanges[q.verb] {
		if x.order == q.order && distance(x, q) == distance(near, q) {
			count[x.final().code]++
		}
	}
	for _, x := range m.exchanges[q.verb] {
		if x.order == q.order && distance(x, q) == distance(near, q) && count[x.final().code] > count[best.final().code] {
			best = x
		}
	}
	return best
}

// final is the last answer that a recording holds.
func (x *exchange) final() *answer { return x.answers[len(x.answers)-1] }

// nth is the answer for the nth time, from 0; behind the last it stays.
func (x *exchange) nth(n int) *answer { return x.answers[min(n, len(x.answers)-1)] }

// greylisted returns the refusal that came first, where an older recording
// shows that what x accepts was put off, and how long it was until then.
func (m *Model) greylisted(x *exchange) (first *answer, delay time.Duration) {
	if x.final().code/100 != 2 {
		return nil, 0
	}
	for _, older := range m.exchanges[x.verb] {
		if older.moment == x.moment && older.recording > x.recording && older.answers[0].putsOff() {
			first = older.answers[0]
			delay = x.final().at.Sub(first.at)
		}
	}
	return first, delay
}

// putsOff reports whether an answer is that of a greylist.
func (a *answer) putsOff() bool {
	if a.code/100 != 4 || len(a.acts) == 0 {
		return false
	}
	text := strings.ToLower(a.acts[0].text)
	return strings.Contains(text, "greylist") || strings.Contains(text, "graylist") || strings.Contains(text, "postgrey")
}

// offersTLS reports whether an EHLO reply lists STARTTLS.
func (m *Model) offersTLS() bool {
	for _, x := range m.exchanges["EHLO"] {
		for _, act := range x.final().acts {
			if wire.Offers([]byte(act.text), "STARTTLS") {
				return true
			}
		}
	}
	return false
}
