package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// endOf says how the smarthost ended; nil is a clean end.
func (d *dialogue) endOf(err error) *session.Fault {
	switch {
	case d.broken != nil:
		return d.broken
	case errors.Is(err, io.EOF):
		return nil
	}
	return upstream.Classify("read", err)
}

// cutShort ends a dialogue whose time is over, or which nobody wants any more.
// Of the two only the first is the smarthost's doing: it has used the time up.
func (d *dialogue) cutShort(ctx context.Context) {
	now := time.Now()
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		d.apply(d.m.Abort(now, session.OddShutdown, "the check was broken off"))
		return
	}
	const over = "the time of the check is over"
	if d.conn != nil {
		d.silent(now, over)
	}
	d.apply(d.m.Abort(now, "", over))
}

// silent records that the smarthost owes something which is no longer waited
// for, as the machine does when its own time is up.
func (d *dialogue) silent(now time.Time, why string) {
	silent := now.Sub(d.heard)
	d.record(session.Entry{
		At: now, Leg: session.Upstream, From: session.FromProxy, Kind: session.KindNote, Phase: d.phase,
		Secure: d.app.private, Odd: session.OddTimeout, Silent: &session.Silent{Upstream: silent},
		Text: fmt.Sprintf("the upstream has been silent for %s, and %s", rounded(silent), why),
	})
}

// endWrites tells the smarthost that nothing more will come.
func (d *dialogue) endWrites() {
	if d.conn == nil {
		return
	}
	if tc, ok := d.conn.(*tls.Conn); ok {
		_ = tc.SetWriteDeadline(time.Now().Add(goodbyeWait))
		_ = tc.CloseWrite() // who has gone cannot be told
	}
	if hc, ok := upstream.Unwrap(d.conn).(interface{ CloseWrite() error }); ok {
		_ = hc.CloseWrite()
	}
}

// hangUp closes the connection, if there is one.
func (d *dialogue) hangUp() {
	d.unwatch()
	if d.conn != nil {
		_ = upstream.Unwrap(d.conn).Close()
		d.conn = nil
	}
}

// tcpOf is what the kernel knows of a connection: whether its path loses
// packets, or the peer is slow. It is nil where the kernel does not tell.
func tcpOf(conn net.Conn) *session.TCP {
	known := pathOf(conn)
	if known == (path{}) {
		return nil
	}
	return &session.TCP{RTT: known.rtt, Retransmits: known.resent, Unacked: known.unacked}
}
