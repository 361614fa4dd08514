package probe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// The patience of an attempt to connect. A SYN that is lost is sent again after
// one second and after three (RFC 6298).
const (
	connectWait  = 5 * time.Second
	greetingWait = 400 * time.Millisecond // for a greeting that nobody needs, before the goodbye
)

// contact is what became of connecting to one place.
type contact struct {
	at    upstream.Target
	addr  netip.Addr // that answered; the one asked where it was named
	took  time.Duration
	path  path
	fault *session.Fault // nil when it answered
	spent bool           // not tried: the budget is used up
}

func (c *contact) answers() bool { return c.fault == nil && !c.spent }

// path is what the kernel knows of the way to a peer. All is zero where it does
// not say.
type path struct {
	rtt     time.Duration // smoothed; of a fresh connection, that of its SYN
	mtu     int           // octets of a packet, as far as was discovered
	segment int           // octets of payload in the largest segment
	unacked int           // segments sent and not acknowledged
	resent  int           // segments sent again
}

// fanout is a set of places to connect to side by side.
type fanout struct {
	budget string // the smarthost's name, by which connections are counted
	places []upstream.Target
	first  func(i int) bool // once such a place has answered, the others get only linger more
	linger time.Duration
}

// connect tries all places and takes leave of those that answer. It returns
// when all attempts have ended, at most connectWait later, and the goodbyes
// with them.
func (p *Prober) connect(ctx context.Context, f fanout) []contact {
	limited, cancel := context.WithTimeout(ctx, min(connectWait, p.options.Timeout))
	defer cancel()
	list := make([]contact, len(f.places))
	var trying, leaving sync.WaitGroup
	var cut *time.Timer
	var once sync.Once
	for i, at := range f.places {
		trying.Go(func() {
			var conn net.Conn
			if list[i], conn = p.contact(limited, f.budget, at); conn == nil {
				return
			}
			if f.first(i) {
				once.Do(func() { cut = time.AfterFunc(f.linger, cancel) })
			}
			leaving.Go(func() { p.leave(ctx, conn, at) })
		})
	}
	trying.Wait()
	if cut != nil {
		cut.Stop()
	}
	leaving.Wait()
	return list
}

// contact makes one attempt.
func (p *Prober) contact(ctx context.Context, budget string, at upstream.Target) (contact, net.Conn) {
	c := contact{at: at}
	c.addr, _ = netip.ParseAddr(at.Host)
	if !p.budget.spend(budget, p.options.Now()) {
		c.spent = true
		return c, nil
	}
	p.counts.connections.Add(1)
	began := time.Now()
	var refused *session.Fault // by one of several addresses
	conn, err := p.options.Connector.Connect(ctx, at, func(e session.Entry) {
		if e.Fault != nil && e.Fault.Class == session.FaultRefused {
			refused = e.Fault
		}
	})
	c.took = time.Since(began)
	if err != nil {
		if c.fault = c.faultOf(err); refused != nil { // which tells more than the silence of another
			c.fault = refused
		}
		return c, nil
	}
	c.addr, c.path = addrOf(conn.RemoteAddr()), pathOf(conn)
	return c, conn
}

// leave ends a connection so that the smarthost finds nothing odd in its log:
// with QUIT behind the greeting. Who has not greeted yet is not spoken to,
// since that is what spam programs do (early talkers).
func (p *Prober) leave(ctx context.Context, conn net.Conn, at upstream.Target) {
	if at.Implicit() || at.Port == controlPort {
		conn.Close()
		return
	}
	ctx, cancel := context.WithTimeout(ctx, greetingWait)
	defer cancel()
	l := p.lineOver(ctx, conn)
	if _, err := l.reply(); err != nil {
		l.close()
		return
	}
	l.quit()
}

// lineOver begins a dialogue over a connection that was made elsewhere. The
// end of ctx breaks off whatever it waits for.
func (p *Prober) lineOver(ctx context.Context, conn net.Conn) *line {
	l := &line{r: bufio.NewReader(conn), conn: conn, name: p.helo(conn)}
	if until, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(until)
	}
	l.stop = context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	return l
}

// remembered answers a question that connects to a smarthost: one at a time for
// each of them, and from memory while the last answer is good.
func (p *Prober) remembered(ctx context.Context, t upstream.Target, name string, ask func(context.Context, upstream.Target) session.Entry) session.Entry {
	leave, err := p.gate.enter(ctx, t)
	if err != nil {
		return p.answer(t, skipped(name, err))
	}
	defer leave()
	question := name + " " + t.Name + " " + string(t.Mode)
	if e, ok := p.answers.recall(question, p.options); ok {
		return p.answer(t, e)
	}
	e := ask(ctx, t)
	if err := ctx.Err(); err != nil {
		return p.answer(t, skipped(name, err))
	}
	return p.answer(t, p.answers.keep(question, e, p.options))
}

// faultOf is what a failed attempt to connect comes to. One that was cut short
// has had no answer; where the address was given, no look-up can be to blame.
func (c *contact) faultOf(err error) *session.Fault {
	fault := upstream.Classify("dial", err)
	if where := (*upstream.Error)(nil); errors.As(err, &where) {
		fault = &where.Fault
	}
	mine := *fault
	if c.addr.IsValid() {
		mine.Op = "dial"
	}
	if mine.Class == session.FaultLocal {
		mine.Class, mine.Text = session.FaultTimeout, fmt.Sprintf("no answer in %s", rounded(c.took))
	}
	return &mine
}

// result is the word for an outcome, as records have it.
func (c *contact) result() string {
	switch {
	case c.spent:
		return resultSkip
	case c.fault == nil:
		return resultOK
	}
	return string(c.fault.Class)
}

// rounded is a duration as a person wants to read it.
func rounded(d time.Duration) time.Duration {
	switch {
	case d >= time.Second:
		return d.Round(100 * time.Millisecond)
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Microsecond)
}
