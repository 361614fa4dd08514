package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// crossing is a handshake as far as packets are concerned.
type crossing struct {
	addr  netip.Addr
	took  time.Duration
	path  path           // at its end
	fault *session.Fault // nil when it came through
}

func (c *crossing) stalled() bool { return c.fault != nil && c.fault.Class == session.FaultTimeout }

// direction says which packets get lost: those that were sent and never
// acknowledged, or, since all were, those of the answer.
func (c *crossing) direction() string {
	if c.path.unacked > 0 && c.path.resent > 0 {
		return fmt.Sprintf("large packets to %s", c.addr)
	}
	return fmt.Sprintf("large packets from %s", c.addr)
}

// passed words a handshake that was not stalled, however else it ended.
func (c *crossing) passed(t upstream.Target) session.Entry {
	if c.fault != nil {
		return verdictMTU(resultSkip, "not tested: the TLS handshake with %s ends otherwise: %s", t.Name, c.fault.Text)
	}
	return verdictMTU(resultOK, "the large packets of the TLS handshake came through in %s", rounded(c.took))
}

// opener makes a connection for a crossing, which counts in the budget.
type opener func(context.Context) (net.Conn, netip.Addr, error)

// usual connects as sessions do.
func (p *Prober) usual(t upstream.Target) opener {
	return func(ctx context.Context) (net.Conn, netip.Addr, error) {
		ctx, cancel := context.WithTimeout(ctx, connectWait)
		defer cancel()
		c, conn := p.contact(ctx, t.Name, t)
		switch {
		case c.spent:
			return nil, c.addr, errBudget
		case c.fault != nil:
			return nil, c.addr, &Unreached{Fault: c.fault, Err: fmt.Errorf("connect to %s: %s", t.Name, c.fault.Text)}
		}
		return conn, c.addr, nil
	}
}

// narrow connects to an address with both sides held to small segments.
func (p *Prober) narrow(t upstream.Target, addr netip.Addr) opener {
	return func(ctx context.Context) (net.Conn, netip.Addr, error) {
		if !p.budget.spend(t.Name, p.options.Now()) {
			return nil, addr, errBudget
		}
		p.counts.connections.Add(1)
		dialer := net.Dialer{Control: heldTo(smallSegment(addr))}
		conn, err := dialer.DialContext(ctx, "tcp", netip.AddrPortFrom(addr, uint16(t.Port)).String())
		return conn, addr, err
	}
}

func smallSegment(addr netip.Addr) int {
	if addr.Is4() {
		return small4
	}
	return small6
}

// cross goes to the first octet of TLS and shakes hands, for which there is a
// limit. The offer is that of the proxy's own sessions, with the post-quantum
// key share that takes it beyond one packet. The error says why there was no
// handshake.
func (p *Prober) cross(ctx context.Context, t upstream.Target, open opener, limit time.Duration) (c crossing, err error) {
	conn, addr, err := open(ctx)
	if err != nil {
		return crossing{}, err
	}
	l := p.lineOver(ctx, conn)
	defer l.close()
	if !t.Implicit() {
		if err := l.startTLS(); err != nil {
			if u := (*Unreached)(nil); errors.As(err, &u) && u.Fault == nil {
				l.quit()
			}
			return crossing{}, err
		}
	}
	c.addr = addr
	began := time.Now()
	_ = conn.SetDeadline(began.Add(limit)) // HandshakeContext would close it, and the kernel forget it
	if ctx.Err() != nil {
		return crossing{}, ctx.Err()
	}
	secure := tls.Client(conn, &tls.Config{ServerName: nameAlone(t.Host), InsecureSkipVerify: true, MinVersion: tls.VersionTLS10})
	err = secure.Handshake()
	c.took, c.path = time.Since(began), pathOf(conn)
	if ctx.Err() != nil && err != nil {
		return crossing{}, ctx.Err()
	}
	if c.fault = upstream.Classify("handshake", err); c.fault == nil {
		l.use(secure)
		l.part(t)
	}
	return c, nil
}

// part ends a dialogue whose handshake was all that was wanted.
func (l *line) part(t upstream.Target) {
	_ = l.conn.SetDeadline(time.Now().Add(partingDelay))
	if t.Implicit() {
		_, _ = l.reply() // the greeting
	}
	_, _ = l.say("QUIT")
}
