package proxy

import (
	"errors"
	"net"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream"
)

// How a bare tunnel is carried.
//
// Once there is nothing left to understand of what the two sides say under TLS
// of their own, each direction moves its octets from one connection to the
// other without the machine and without the lock. It counts them, and notes
// when the last came; whoever asks the machine something next tells it first.
// An end, an error or a wake brings a direction back to the machine.

// carried is what a direction has moved past the machine.
type carried struct {
	octets  atomic.Int64 // not told to the machine yet
	last    atomic.Int64 // when the last came, in nanoseconds since the session began
	goodbye atomic.Bool  // they ended in an alert
	pushing atomic.Int64 // since when a write is under way, in the same; 0 for none
}

// carry moves one direction's octets until its side ends or somebody calls.
func (r *relay) carry(l *leg, in *source) {
	to := r.outlet(l)
	for {
		b, err := in.read(l.conn)
		if len(b) > 0 {
			if wire.EndsInAlert(b) {
				l.past.goodbye.Store(true)
			}
			if to != nil && !r.push(l, to, b) {
				to = nil
			}
			l.past.octets.Add(int64(len(b)))
		}
		in.release()
		if err != nil {
			r.uncarry(l, err)
			return
		}
	}
}

// outlet returns where the octets of a side go, when all that was written
// there before is out; nil when that side is broken.
func (r *relay) outlet(l *leg) net.Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	to := &r.legs[l.side.Peer()]
	r.flush(to, true)
	if to.broken != nil {
		return nil
	}
	return to.conn
}

// push writes to the other side and reports whether that took it. What comes
// behind a failure is dropped: the other direction hears of the end.
func (r *relay) push(l *leg, to net.Conn, b []byte) bool {
	now := int64(time.Since(r.info.Started))
	l.past.last.Store(now)
	l.past.pushing.Store(now)
	_, err := to.Write(b)
	l.past.pushing.Store(0)
	if err == nil {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if peer := &r.legs[l.side.Peer()]; peer.broken == nil {
		r.breakOff(peer, upstream.Classify("write", err))
	}
	return false
}

// uncarry brings a direction back to the machine.
func (r *relay) uncarry(l *leg, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.account()
	if errors.Is(err, os.ErrDeadlineExceeded) && l.broken == nil {
		r.woken(l)
		return
	}
	r.ended(l, err)
}

// account tells the machine what has been carried past it. The lock is held.
func (r *relay) account() {
	for i := range r.legs {
		p := &r.legs[i].past
		last := r.info.Started.Add(time.Duration(p.last.Load()))
		r.m.Carried(session.Side(i), p.octets.Swap(0), last)
	}
	if r.legs[session.Upstream].past.goodbye.Load() {
		r.m.Goodbye()
	}
}

// clogged returns since when a side has not taken what is being carried to it,
// or zero.
func (r *relay) clogged(l *leg) time.Time {
	if at := r.legs[l.side.Peer()].past.pushing.Load(); at != 0 {
		return r.info.Started.Add(time.Duration(at))
	}
	return time.Time{}
}

// judge completes the facts of a handshake that was read on its way: whether
// the chain that the smarthost sent is one to trust. That may take a
// millisecond, so the lock is let go meanwhile; nothing is handed over then.
func (r *relay) judge() {
	e := r.unjudged
	if e == nil {
		return
	}
	r.unjudged, r.judging = nil, true
	defer func() { r.judging = false }()
	host := e.TLS.ServerName
	if host == "" {
		host = r.route.secured().Host
	}
	r.judgeAside(e, host)
	if e.Fault == nil {
		r.noteCertificate(e.At, e.TLS)
	}
}

// judgeAside has the chain judged outside the lock. A bug in that costs the
// record a judgement, and the session nothing.
func (r *relay) judgeAside(e *session.Entry, host string) {
	r.mu.Unlock()
	defer r.mu.Lock()
	defer func() {
		if p := recover(); p != nil {
			e.TLS.Sent, e.TLS.Staple = nil, nil
			r.server.options.Log.Error().Str("session", r.info.ID).Interface("panic", p).Bytes("stack", debug.Stack()).
				Msg("a bug in smtp-proxy: a chain was not judged; please report it")
		}
	}()
	r.route.Connector.Judge(e.At, host, e.TLS)
}
