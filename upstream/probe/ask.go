package probe

import (
	"context"
	"crypto/rand"
	"crypto/tls"
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
	chain  [][]byte          // in DER; empty under TLS 1.3
	staple []byte
	asked  bool           // a client certificate was asked for; under TLS 1.3 nobody sees
	fault  *session.Fault // nil when the offer was taken
	near   netip.Addr     // the address that answered
}

// taken reports whether the smarthost found what it needs in the offer.
func (r reading) taken() bool { return r.fault == nil }

// flaky reports an outcome that may be chance: silence or a broken connection,
// with no word from the smarthost.
func (r reading) flaky() bool {
	return r.fault != nil && (r.fault.Class == session.FaultReset || r.fault.Class == session.FaultClosed)
}

// ask makes an offer and reads the answer: as far as the ServerHello under TLS
// 1.3, and the whole flight before that. The handshake is then called off. A
// connection that breaks is tried twice. The error is an [*Unreached].
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
	ctx, cancel := context.WithTimeout(ctx, p.options.Timeout)
	defer cancel()
	l, err := p.reach(ctx, t)
	if err != nil {
		return reading{}, err
	}
	defer l.close()
	r := reading{at: p.options.Now(), near: addrOf(l.conn.RemoteAddr())}
	hello, err := o.record()
	if err != nil {
		return reading{}, fmt.Errorf("ask %s: %w", t.Name, err)
	}
	seen, err := l.offer(hello)
	if ctx.Err() != nil && context.Cause(ctx) == context.Canceled {
		return reading{}, &Unreached{Err: fmt.Errorf("ask %s: %w", t.Name, ctx.Err())}
	}
	r.take(seen, err)
	return r, nil
}

// record is the offer as it goes on the wire.
func (o offer) record() ([]byte, error) {
	shares, err := newShares(o.KeyShares)
	if err != nil {
		return nil, err
	}
	var random [32]byte
	rand.Read(random[:])
	return o.AppendRecord(nil, random, shares), nil
}

// maxAnswer bounds the octets read of an answer.
const maxAnswer = 256 << 10

// offer sends a hello and reads until the answer is plain or the connection
// ends.
func (l *line) offer(hello []byte) (*wire.TLSSeen, error) {
	var o wire.TLSObserver
	o.App(hello, 0)
	if _, err := l.conn.Write(hello); err != nil {
		return o.Seen(), err
	}
	buf := make([]byte, 4<<10)
	for range maxAnswer / len(buf) {
		n, err := l.r.Read(buf)
		o.Upstream(buf[:n], 0)
		if plain(o.Seen()) {
			_, _ = l.conn.Write(farewell())
			return o.Seen(), nil
		}
		if err != nil || o.Done() {
			return o.Seen(), err
		}
	}
	return o.Seen(), nil
}

// plain reports whether no more need be read. Under TLS 1.3 the flight that
// follows the ServerHello is waited for, since it may be an alert instead.
func plain(s *wire.TLSSeen) bool {
	return s.Server != nil && (s.Server.Retry || s.Stage >= wire.TLSServerFlight)
}

// farewell calls a handshake off: user_canceled and close_notify (RFC 8446,
// section 6.1), so that the smarthost need not wait or wonder.
func farewell() []byte {
	return []byte{21, 3, 1, 0, 2, 1, 90, 21, 3, 1, 0, 2, 1, 0}
}

// take sums up what was seen; err is how the reading ended.
func (r *reading) take(seen *wire.TLSSeen, err error) {
	r.server, r.chain, r.staple, r.asked = seen.Server, seen.Chain, seen.Staple, seen.AskedCert
	const up = wire.TLSUpstream
	f := &session.Fault{Op: "handshake"}
	switch alert := seen.Alert[up]; {
	case alert != nil:
		f.Class, f.Alert, f.Text = session.FaultAlert, int(alert.Number), "remote error: "+tls.AlertError(alert.Number).Error()
	case seen.HiddenAlert[up]:
		f.Class, f.Text = session.FaultHiddenAlert, "an encrypted alert"
	case seen.NotTLS[up] != nil:
		f.Class, f.First, f.Text = session.FaultNotTLS, seen.NotTLS[up], "the answer is no TLS"
	case seen.Corrupt[up] != "":
		f.Class, f.Text = session.FaultCorrupt, seen.Corrupt[up]
	case plain(seen):
		return
	case err != nil:
		f = upstream.Classify("handshake", err)
	default:
		f.Class, f.Text = session.FaultCorrupt, "the answer does not end"
	}
	r.fault = f
}
