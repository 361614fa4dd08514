//go:build rigs

package rigs_test

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"
)

// TestTerm stops the proxy with SIGTERM while messages wait at their final
// dot. Each gets its answer, a session that is not in a message gets 421, new
// ones are refused, and the record tells it all.
func TestTerm(t *testing.T) {
	k := newKit(t)
	m := startExim(t, k)
	p := newProxy(t, k, m, legs{clear, starttls})
	p.run(t)
	l := &load{addr: p.addr, to: m.mailboxes(t, 1)[0], acked: map[string]time.Time{}}
	idle, err := dial(p.addr, "idle.app.rig.test")
	must(t, err)
	defer idle.Close()

	waiting := l.handOver(t, 12)
	p.terminate()
	if code, text, err := idle.ReadResponse(421); err != nil {
		t.Errorf("the idle session got %d %q (%v), want 421", code, text, err)
	}
	eventually(t, "refusal of new connections", func() bool { return refused(p.addr) }, func() string { return tail(p.log) })
	waiting()
	p.finished(t)
	l.awaitAll(t, m)
	checkTold(t, l, p.sessions(t))
}

// handOver has n apps each send a message up to its final dot. It returns the
// function that waits for the answers.
func (l *load) handOver(t *testing.T, n int) (wait func()) {
	t.Helper()
	var dotted, answered sync.WaitGroup
	for i := range n {
		dotted.Add(1)
		answered.Go(func() {
			if err := l.slow(fmt.Sprintf("slow%d", i), dotted.Done); err != nil {
				t.Errorf("app %d: got %v, want 250 for the message that was at its dot", i, err)
			}
		})
	}
	dotted.Wait()
	return answered.Wait
}

// slow sends one message at whose dot the server takes its time.
func (l *load) slow(name string, dotted func()) error {
	done := sync.OnceFunc(dotted)
	defer done()
	d, err := dial(l.addr, name+".app.rig.test")
	if err != nil {
		return err
	}
	defer d.Close()
	id := name + "@rig.test"
	if err := d.hand(l.to, id, "X-Slow: yes\r\n"); err != nil {
		return err
	}
	done()
	if err := d.verdict(); err != nil {
		return err
	}
	l.ack(id)
	return nil
}

func refused(addr string) bool {
	c, err := net.Dial("tcp", addr)
	if err == nil {
		c.Close()
	}
	return err != nil
}

// checkTold wants each slow message in the record as delivered.
func checkTold(t *testing.T, l *load, all []recorded) {
	t.Helper()
	found := byHelo(all)
	for id := range l.acked {
		helo := localPart(id) + ".app.rig.test"
		if r := found[helo]; r.Outcome != "delivered" || r.Ended == nil {
			t.Errorf("%s: got outcome %q, want delivered and ended", helo, r.Outcome)
		}
	}
	if r, ok := found["idle.app.rig.test"]; !ok || r.Ended == nil {
		t.Errorf("got no ended session of the idle app: %+v", r)
	}
}
