//go:build rigs

package rigs_test

import (
	"math/rand/v2"
	"testing"
	"time"
)

// flush is how much of the record a kill may cost. The proxy writes about
// every 100 ms; a busy machine gets some more.
const flush = 500 * time.Millisecond

// TestKill ends the proxy with SIGKILL again and again while apps send mail.
// What an app was told is accepted must be at the server, the record must
// open and hold all but the last moments, and no session may stay open.
func TestKill(t *testing.T) {
	k := newKit(t)
	m := startPostfix(t, k)
	p := newProxy(t, k, m, legs{clear, starttls})
	p.run(t)
	l := &load{addr: p.addr, to: m.mailboxes(t, 1)[0], acked: map[string]time.Time{}}
	stop := l.start(8)
	var kills []time.Time
	for range 5 {
		p.awaitLoad(t, l)
		kills = append(kills, time.Now())
		p.kill()
		p.sessions(t) // the record opens while nobody has tidied up
		p.run(t)
	}
	p.awaitLoad(t, l)
	stop()
	p.finish(t)
	l.awaitAll(t, m)
	checkKept(t, l, p.sessions(t), kills)
	t.Logf("%d messages acknowledged over %d kills", l.count(), len(kills))
}

// awaitLoad lets the apps send for a random time, and some messages at least.
func (p *proxy) awaitLoad(t *testing.T, l *load) {
	t.Helper()
	before := l.count()
	until := time.After(700*time.Millisecond + rand.N(800*time.Millisecond))
	eventually(t, "message through the restarted proxy", func() bool {
		return l.count() > before+20
	}, func() string { return tail(p.log) })
	<-until
}

// checkKept compares what the apps were told with the record.
func checkKept(t *testing.T, l *load, all []recorded, kills []time.Time) {
	t.Helper()
	accepted := map[string]bool{}
	for _, r := range all {
		if r.Ended == nil || r.Outcome == "open" {
			t.Errorf("%s: got outcome %q and ended %v, want an end for each session", r.ID, r.Outcome, r.Ended)
		}
		for _, message := range r.Messages {
			if message.Code == 250 {
				accepted[message.MessageID] = true
			}
		}
	}
	for id, at := range l.acked {
		if !accepted["<"+id+">"] && !accepted[id] && !justBefore(at, kills) {
			t.Errorf("%s was acknowledged at %s, not just before a kill (%v), and is not in the record", id, at.Format("05.000"), kills)
		}
	}
}

func justBefore(at time.Time, kills []time.Time) bool {
	for _, kill := range kills {
		if before := kill.Sub(at); before < flush && before > -flush {
			return true
		}
	}
	return false
}
