package upstream

import (
	"context"
	"net"
	"net/netip"
	"time"

	"smtp-proxy/proxy/session"
)

// How a race works (RFC 8305, "happy eyeballs"): the resolver streams answers
// into it; the first IPv6 address, or any address once both questions are
// answered or 50 ms have passed, is dialled; a further one 250 ms later, or at
// once when an attempt has failed. The first connection that stands wins, the
// others are cancelled and leave no trace in the record. All of it runs in the
// goroutine of the session; the resolver and each attempt have one of their
// own, and end waits for them.

// The delays of RFC 8305, section 8.
const (
	resolutionDelay = 50 * time.Millisecond
	attemptDelay    = 250 * time.Millisecond
)

type race struct {
	c      *Connector
	target Target
	record func(session.Entry)
	began  time.Time

	ctx     context.Context // ends when the session does, or the race is over
	cancel  context.CancelFunc
	dialing context.Context // bounds all attempts; nil before the first
	stop    context.CancelFunc

	lookups  chan answer   // closed by the resolver at its end
	answers  <-chan answer // the same, nil once no more are waited for
	results  chan attempt
	queue    *queue
	running  int
	notUntil time.Time // when the next attempt may begin
	timer    *time.Timer

	resolved bool     // an address was found
	missing  []answer // questions that brought none, while no other has
	failed   []failure
}

// failure is an attempt that failed.
type failure struct {
	fault *session.Fault
	addr  string
	words string
	began time.Time
}

// newRace begins to look the target up.
func (c *Connector) newRace(ctx context.Context, t Target, record func(session.Entry)) *race {
	r := &race{
		c: c, target: t, record: record, began: time.Now(),
		lookups: make(chan answer),
		results: make(chan attempt),
		queue:   newQueue(c.routable),
		timer:   time.NewTimer(time.Hour),
		stop:    func() {},
	}
	r.ctx, r.cancel = context.WithCancel(ctx)
	if addr, err := netip.ParseAddr(t.Host); err == nil {
		close(r.lookups)
		r.queue.add([]netip.Addr{addr})
		return r
	}
	r.answers = r.lookups
	go c.resolver.stream(r.ctx, t.Host, r.lookups)
	return r
}

// run races until a connection stands or nothing is left to try.
func (r *race) run() (net.Conn, error) {
	if r.answers == nil && r.ctx.Err() == nil { // the address was given: nothing to wait for
		if conn := r.start(); conn != nil {
			return conn, nil
		}
	}
	for !r.over() {
		r.arm()
		select {
		case a, ok := <-r.answers:
			r.take(a, ok)
		case a := <-r.results:
			if conn := r.finish(a); conn != nil {
				return conn, nil
			}
		case <-r.timer.C:
			if conn := r.start(); conn != nil {
				return conn, nil
			}
		case <-r.timeUp():
			r.abandon()
		}
	}
	return nil, r.verdict()
}

// end cancels what is still under way and waits for it.
func (r *race) end() {
	r.cancel()
	r.stop()
	r.timer.Stop()
	for ; r.running > 0; r.running-- {
		if a := <-r.results; a.conn != nil {
			a.conn.Close()
		}
	}
	for range r.lookups { // the resolver writes until it has seen the end of ctx
	}
}

// over reports whether nothing can change the outcome any more.
func (r *race) over() bool {
	return r.running == 0 && r.answers == nil && r.queue.empty()
}

// arm sets the timer to the next attempt, if there is one to make.
func (r *race) arm() {
	if r.queue.empty() {
		r.timer.Stop()
		return
	}
	r.timer.Reset(max(0, time.Until(r.notUntil)))
}

// take receives an answer of the resolver.
func (r *race) take(a answer, ok bool) {
	switch {
	case !ok:
		r.answers = nil
		if r.dialing == nil {
			r.notUntil = time.Time{} // nothing better will come
		}
	case len(a.addrs) > 0:
		r.found(a)
	case r.resolved:
		r.record(a.note())
	default:
		r.missing = append(r.missing, a)
	}
}

// found queues addresses. With IPv4 alone the other answer is waited for a
// little, since IPv6 should have the first try.
func (r *race) found(a answer) {
	if !r.resolved && a.lookup.Type == "A" {
		r.notUntil = time.Now().Add(resolutionDelay)
	} else if r.dialing == nil {
		r.notUntil = time.Time{}
	}
	r.resolved = true
	r.forgive()
	r.record(a.note())
	r.queue.add(a.addrs)
}

// forgive records the questions without an answer as what they are once an
// address is known: no failure.
func (r *race) forgive() {
	for _, a := range r.missing {
		r.record(a.note())
	}
	r.missing = nil
}

// start makes the next attempt, and returns its connection if that stands at
// once.
func (r *race) start() net.Conn {
	if r.dialing == nil {
		r.dialing, r.stop = context.WithTimeout(r.ctx, r.c.options.ConnectTimeout)
	}
	addr := netip.AddrPortFrom(r.queue.next(), uint16(r.target.Port))
	r.running++
	r.notUntil = time.Now().Add(attemptDelay)
	if r.alone() {
		return r.finish(r.c.try(r.dialing, addr))
	}
	go func() { r.results <- r.c.try(r.dialing, addr) }()
	return nil
}

// alone reports whether the attempt that has begun is the only one there will
// ever be, as where the smarthost is configured by its address: the session's
// own goroutine may then wait for it.
func (r *race) alone() bool { return r.running == 1 && r.answers == nil && r.queue.empty() }

// finish receives the outcome of an attempt and returns the winner's
// connection.
func (r *race) finish(a attempt) net.Conn {
	r.running--
	e := a.entry(r.target.Host)
	r.record(e)
	if a.err == nil {
		return a.conn
	}
	if e.Fault != nil {
		r.failed = append(r.failed, failure{
			fault: e.Fault,
			addr:  e.Dial.Addr,
			words: faultWords(e.Fault, a.took),
			began: a.at.Add(-a.took),
		})
	}
	r.notUntil = time.Time{}
	return nil
}

// timeUp is readable when the attempts have used up their time or the session
// has ended, and nil when there is nothing left to abandon.
func (r *race) timeUp() <-chan struct{} {
	switch {
	case r.answers == nil && r.queue.empty():
		return nil
	case r.dialing != nil:
		return r.dialing.Done()
	}
	return r.ctx.Done()
}

// abandon gives up what has not begun; attempts under way report their end
// themselves.
func (r *race) abandon() {
	r.answers = nil
	r.queue = newQueue(r.c.routable)
}
