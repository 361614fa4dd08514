package proxy

import (
	"errors"
	"io"
	"syscall"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// The TCP states that are told apart here: a connection that no longer is one,
// and one whose peer has ended its direction.
const (
	stateClosed    = "closed"
	stateCloseWait = "close-wait"
)

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

// ended tells the machine that a side has ended.
func (r *relay) ended(l *leg, err error) {
	fault := l.faultOf(err)
	if fault != nil && fault.Class == session.FaultReset {
		r.letFirst(&r.legs[l.side.Peer()])
	}
	r.apply(r.m.Closed(time.Now(), l.side, fault))
	r.settle(l)
}

// letFirst waits until the machine has heard of the end of a side that was
// there first: a party that has ended the session is often answered with a
// reset, and then the two ends arrive together. The side that is behind is
// being read and its end is in the kernel already, so this takes no time.
func (r *relay) letFirst(l *leg) {
	if l.conn == nil {
		return
	}
	if tcp := tcpInfo(l.conn); tcp == nil || tcp.State != stateCloseWait {
		return
	}
	for r.m.WantsRead(l.side) && !r.m.Over() {
		l.changed.Wait()
	}
}

// tcp is what the kernel knows of the leg's connection, or knew at its end.
func (l *leg) tcp() *session.TCP {
	if l.parting == nil {
		return l.tcpInfo()
	}
	return l.parting
}

// faultOf says how a side ended; nil is a clean end, by FIN or close_notify.
func (l *leg) faultOf(err error) *session.Fault {
	l.parting = l.tcpInfo()
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
	return !l.ended && l.parting != nil && l.parting.State == stateClosed && !l.brokenPipe()
}
