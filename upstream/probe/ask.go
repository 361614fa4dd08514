package probe

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream"
)

// reading is what came of an offer.
type reading struct {
	at     time.Time
	server *wire.ServerHello // nil when there was none
	chain  [][]byte          // in DER; empty when it could not be read
	staple []byte
	asked  bool           // a client certificate was asked for
	fault  *session.Fault // nil when the offer was taken
	near   netip.Addr     // the address that answered
}

// taken reports whether the smarthost found what it needs in the offer.
func (r reading) taken() bool { return r.fault == nil }

// flaky reports an outcome that may be chance: a broken connection, with no
// word from the smarthost.
func (r reading) flaky() bool {
	return r.fault != nil && (r.fault.Class == session.FaultReset || r.fault.Class == session.FaultClosed)
}

// ask makes an offer and reads the answer, to the end of the smarthost's first
// flight. The handshake is then called off. A connection that breaks is tried
// twice. The error is an [*Unreached].
func (p *Prober) ask(ctx context.Context, t upstream.Target, o offer) (reading, error) {
	r, err := p.askOnce(ctx, t, o)
	if err == nil && r.flaky() {
		if again, err := p.askOnce(ctx, t, o); err == nil {
			return again, nil
		}
	}
	return r, err
}

func (p *Prober) askOnce(ctx context.Context, t upstream.Target, o offer) (reading, error) {
	limited, cancel := context.WithTimeout(ctx, p.options.Timeout)
	defer cancel()
	l, err := p.reach(limited, t)
	if err != nil {
		return reading{}, err
	}
	defer l.close()
	r := reading{at: p.options.Now(), near: addrOf(l.conn.RemoteAddr())}
	err = r.exchange(l, o)
	if ctx.Err() != nil { // the caller's time, not the smarthost's
		err = ctx.Err()
	}
	if err != nil {
		return reading{}, &Unreached{Err: fmt.Errorf("ask %s: %w", t.Name, err)}
	}
	return r, nil
}

// exchange makes the offer on a connection. The error is of this program's
// own making.
func (r *reading) exchange(l *line, o offer) error {
	e, err := newExchange(o)
	if err != nil {
		return err
	}
	err = e.run(l)
	r.take(e, err)
	return nil
}

// exchange is a hello and what has come back so far.
type exchange struct {
	hello    []byte
	shares   map[uint16]share
	observer wire.TLSObserver
	sent     []byte // by the smarthost
	flight   *flight
}

func newExchange(o offer) (*exchange, error) {
	shares, err := newShares(o.KeyShares)
	if err != nil {
		return nil, err
	}
	var random [32]byte
	rand.Read(random[:])
	e := &exchange{hello: o.AppendRecord(nil, random, publics(shares)), shares: shares}
	e.observer.App(e.hello, 0)
	return e, nil
}

// maxAnswer bounds the octets read of an answer.
const maxAnswer = 256 << 10

// run sends the hello and reads until the answer is plain or the connection
// ends.
func (e *exchange) run(l *line) error {
	if _, err := l.conn.Write(e.hello); err != nil {
		return err
	}
	buf := make([]byte, 4<<10)
	for len(e.sent) < maxAnswer {
		n, err := l.r.Read(buf)
		e.observer.Upstream(buf[:n], 0)
		e.sent = append(e.sent, buf[:n]...)
		if e.plain() {
			_, _ = l.conn.Write(farewell())
			return nil
		}
		if err != nil || e.observer.Done() {
			return err
		}
	}
	return nil
}

// plain reports whether no more need be read: the flight is whole. Where that
// of TLS 1.3 cannot be decrypted, its sizes have to do.
func (e *exchange) plain() bool {
	s := e.observer.Seen()
	if s.Server == nil || s.Server.Version != wire.VersionTLS13 || s.Server.Retry {
		return answered(s)
	}
	f, err := readFlight(e.hello, e.sent, e.shares)
	if errors.Is(err, errCut) {
		return false
	}
	if err != nil {
		return answered(s)
	}
	e.flight = &f
	return true
}

func answered(s *wire.TLSSeen) bool {
	return s.Server != nil && (s.Server.Retry || s.Stage >= wire.TLSServerFlight)
}

// farewell calls a handshake off: user_canceled and close_notify (RFC 8446,
// section 6.1), so that the smarthost need not wait or wonder.
func farewell() []byte {
	return []byte{21, 3, 1, 0, 2, 1, 90, 21, 3, 1, 0, 2, 1, 0}
}

// take sums up what was seen; err is how the reading ended.
func (r *reading) take(e *exchange, err error) {
	seen := e.observer.Seen()
	r.server, r.chain, r.staple, r.asked = seen.Server, seen.Chain, seen.Staple, seen.AskedCert
	if f := e.flight; f != nil {
		r.chain, r.staple, r.asked = f.chain, f.staple, f.asked
		server := *seen.Server
		server.ALPN = f.alpn
		r.server = &server
	}
	r.fault = e.fault(seen, err)
}

// fault says why there is no whole answer; nil when there is one.
func (e *exchange) fault(seen *wire.TLSSeen, err error) *session.Fault {
	const up = wire.TLSUpstream
	f := &session.Fault{Op: "handshake"}
	switch alert := seen.Alert[up]; {
	case e.flight != nil && e.flight.alert >= 0:
		f.Class, f.Alert = session.FaultAlert, e.flight.alert
	case alert != nil:
		f.Class, f.Alert = session.FaultAlert, int(alert.Number)
	case e.flight != nil:
		return nil
	case seen.HiddenAlert[up]:
		f.Class, f.Text = session.FaultHiddenAlert, "an encrypted alert"
	case seen.NotTLS[up] != nil:
		f.Class, f.First, f.Text = session.FaultNotTLS, seen.NotTLS[up], "the answer is no TLS"
	case seen.Corrupt[up] != "":
		f.Class, f.Text = session.FaultCorrupt, seen.Corrupt[up]
	case answered(seen):
		return nil
	case err != nil:
		return upstream.Classify("handshake", err)
	default:
		f.Class, f.Text = session.FaultCorrupt, "the answer does not end"
	}
	if f.Class == session.FaultAlert {
		f.Text = "remote error: " + tls.AlertError(f.Alert).Error()
	}
	return f
}
