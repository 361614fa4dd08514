package upstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"smtp-proxy/proxy/session"
)

// attempt is the outcome of one connection attempt.
type attempt struct {
	conn net.Conn
	err  error
	addr netip.AddrPort
	took time.Duration
	at   time.Time
}

// dialTCP connects to one address. A peer that has gone without a word is
// noticed by keep-alives after some four minutes of silence, which is longer
// than a route takes to heal; what a live peer takes its time for is not cut.
func dialTCP(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	dialer := net.Dialer{KeepAliveConfig: keepAlive()}
	return dialer.DialContext(ctx, "tcp", addr.String())
}

func keepAlive() net.KeepAliveConfig {
	return net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 20 * time.Second, Count: 9}
}

// routable reports whether this machine has a route and an address of its own
// for addr. Connecting a UDP socket asks the kernel without sending a packet.
func routable(addr netip.Addr) bool {
	conn, err := net.Dial("udp", netip.AddrPortFrom(addr, 9).String())
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// ErrLoop says that a smarthost's address is the proxy's own.
var ErrLoop = errors.New("that is this proxy itself")

// Avoid names the addresses that are the proxy's own: they are never connected
// to, since each session would begin the next. Call it before the first Connect.
func (c *Connector) Avoid(own func(netip.AddrPort) bool) { c.own = own }

func (c *Connector) dialUnlessOwn(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	if c.own != nil && c.own(addr) {
		return nil, ErrLoop
	}
	return c.dial(ctx, addr)
}

// try makes one attempt.
func (c *Connector) try(ctx context.Context, addr netip.AddrPort) attempt {
	began := time.Now()
	conn, err := c.dialUnlessOwn(ctx, addr)
	now := time.Now()
	return attempt{conn: conn, err: err, addr: addr, took: now.Sub(began), at: now}
}

// facts of the attempt for the record.
func (a *attempt) facts(host string) *session.Dial {
	d := &session.Dial{Host: host, Addr: a.addr.String(), Family: familyOf(a.addr.Addr()), Duration: a.took}
	if a.conn != nil {
		d.Local = a.conn.LocalAddr().String()
	}
	return d
}

// entry is the attempt as a line of the session's history. One that the end
// of the session has cut short is no failure.
func (a *attempt) entry(host string) session.Entry {
	e := connectEntry(a.at)
	e.Dial = a.facts(host)
	if a.err == nil {
		e.Kind = session.KindOpen
		e.Text = opened(e.Dial)
		return e
	}
	fault := Classify(opDial, a.err)
	if fault.Class == session.FaultLocal {
		e.Kind = session.KindNote
		e.Text = fmt.Sprintf("connect to %s: no answer yet after %s when the session ended", e.Dial.Addr, brief(a.took))
		return e
	}
	e.Kind, e.Fault = session.KindError, fault
	e.Text = fmt.Sprintf("connect to %s: %s", e.Dial.Addr, faultWords(fault, a.took))
	return e
}

// connectEntry is what all entries about reaching the smarthost have in
// common.
func connectEntry(at time.Time) session.Entry {
	return session.Entry{At: at, Leg: session.Upstream, From: session.FromProxy, Phase: session.PhaseConnect}
}

// faultWords says what a fault of an attempt means.
func faultWords(f *session.Fault, took time.Duration) string {
	switch f.Class {
	case session.FaultRefused:
		return "connection refused"
	case session.FaultTimeout:
		return "no answer in " + brief(took).String()
	case session.FaultReset:
		return "connection reset"
	case session.FaultPermission:
		return f.Text + " (a firewall or policy of this machine forbids it)"
	case session.FaultDescriptors:
		return f.Text + " (raise the limit of open files, see ulimit -n)"
	case session.FaultLocal:
		return "given up, the session has ended"
	}
	return f.Text
}

// brief rounds a duration to what a person wants to read.
func brief(d time.Duration) time.Duration {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second)
	case d >= time.Second:
		return d.Round(100 * time.Millisecond)
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Microsecond)
}
