package proxy

import (
	"errors"
	"io"
	"syscall"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// stateClosed is the TCP state of a connection that no longer is one.
const stateClosed = "closed"

// witness adds what the kernel knows of the leg's connection to the entries
// that tell of its end or of trouble with it. The lock is held.
func (r *relay) witness(e *session.Entry) {
	switch {
	case e.TCP != nil:
	case e.Kind == session.KindClose && e.From != session.FromProxy,
		e.Kind == session.KindTLS && e.Fault != nil,
		e.Kind == session.KindNote && e.Odd == session.OddTimeout:
		e.TCP = r.legs[e.Leg].tcp()
	}
}

// tcp is what the kernel knows of the leg's connection, or knew at its end.
func (l *leg) tcp() *session.TCP {
	if l.parting == nil && l.conn != nil {
		return tcpInfo(l.conn)
	}
	return l.parting
}

// faultOf says how a side ended; nil is a clean end, by FIN or close_notify.
func (l *leg) faultOf(err error) *session.Fault {
	l.parting = tcpInfo(l.conn)
	switch {
	case l.broken != nil:
		return l.broken
	case errors.Is(err, io.EOF) && l.wasReset():
		return upstream.Classify("write", syscall.ECONNRESET)
	case errors.Is(err, io.EOF):
		return nil
	}
	return upstream.Classify("read", err)
}

// wasReset reports whether what reads like an end of stream was a reset. The
// kernel tells of a reset once: when the other direction's write has had the
// error, and has not come back with it yet, the read sees an end. A connection
// that we half-closed ourselves is gone after the peer's FIN, too.
func (l *leg) wasReset() bool {
	return !l.ended && l.parting != nil && l.parting.State == stateClosed && !brokenPipe(l.conn)
}
