package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// How this works.
//
// Two goroutines carry a session, one for each direction. Each reads from its
// side, locks the machine while that computes, queues the effects per side and
// writes them outside the lock. Who finds the other at work on a side leaves
// its small writes to it, but waits for those that share its own buffer. So a
// side that does not read blocks only the direction that writes to it.
//
// The goroutine that reads from a side also shakes hands on it: no byte of the
// handshake can be read by anybody else. Records are handed over behind the
// writes that they belong to.

// relay is one session's I/O: the shell around the machine.
type relay struct {
	server *Server
	route  *Route
	info   *session.Info
	ctx    context.Context // ends when the session's legs are being closed
	cancel context.CancelFunc

	mu       sync.Mutex
	m        *session.Machine
	legs     [2]leg
	seq      int
	header   headerEnd        // of the message under way
	pace     pace             // of the same
	history  []session.Record // not handed over yet
	lost     int              // entries that the recorder dropped
	lostBody int              // octets of the message that it dropped
	told     []*session.Entry // what an annotation may look at
	timer    *time.Timer
	armed    time.Time
	unjudged *session.Entry // a handshake whose chain is still to be judged
	judging  bool           // that is under way: nothing is handed over
	explain  bool           // a failing reply waits for its annotation
	over     bool           // what may still happen has been bounded
	finished bool
	carrier  carrier           // nil: two goroutines
	few      [2]session.Record // what history holds in a session without bursts
}

// run carries the session from accept to the end of both legs.
func (r *relay) run(app net.Conn) {
	r.legs[session.App].conn = app
	r.arrived()
	defer r.finish()
	if !r.shakeFirst() {
		return
	}
	var reading sync.WaitGroup
	reading.Go(func() { r.contain(r.readApp) })
	r.contain(r.readUpstream)
	reading.Wait()
}

// arrived records that the app is there.
func (r *relay) arrived() {
	r.record(&session.Entry{At: r.info.Started, Leg: session.App, From: session.FromApp, Kind: session.KindOpen,
		Phase: session.PhaseConnect, Text: r.arrival()})
}

// contain keeps a bug in one session from ending the others.
func (r *relay) contain(loop func()) {
	defer func() {
		if p := recover(); p != nil {
			r.panicked(p)
		}
	}()
	loop()
}

// shakeFirst makes implicit TLS on the app's leg; nothing is dialled before.
func (r *relay) shakeFirst() bool {
	if r.route.AppTLS != session.AppImplicit || r.route.Passthrough {
		return true
	}
	r.shakeApp()
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.m.Over()
}

// finish closes what is still open and hands the end of the session over.
func (r *relay) finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end()
}

func (r *relay) end() {
	r.cancel()
	if r.timer != nil {
		r.timer.Stop()
	}
	r.closeConns()
	r.judge()
	r.ownUpBody()
	r.history = append(r.history, session.Record{Session: r.info, Closed: true, At: time.Now()})
	r.handOver()
	r.finished = true
}

func (r *relay) closeConns() {
	if r.carrier != nil {
		r.carrier.cut()
	}
	for i := range r.legs {
		if c := r.legs[i].conn; c != nil {
			_ = c.Close()
		}
	}
}

// readApp carries the app's direction.
func (r *relay) readApp() { r.read(&r.legs[session.App]) }

// readUpstream reaches the upstream and carries its direction.
func (r *relay) readUpstream() {
	r.connect()
	r.read(&r.legs[session.Upstream])
}

// read is one direction's loop. It ends when its side has ended, or when the
// session is over and the peer has had its time to leave.
func (r *relay) read(l *leg) {
	in := newSource()
	for {
		switch r.next(l) {
		case toRead:
			r.readOnce(l, in)
		case toShake:
			r.shake(l)
			in = newSource()
		case toCarry:
			r.carry(l, in)
		case toDrain:
			r.drain(l)
			return
		case toEnd:
			return
		}
	}
}

// step is what a direction does next.
type step uint8

const (
	toRead step = iota
	toShake
	toCarry // nothing can be understood any more: past the machine
	toDrain // the session is over: let the peer leave
	toEnd
)

// next waits until there is something to do for a side.
func (r *relay) next(l *leg) step {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		switch {
		case l.conn == nil:
			return toEnd
		case r.m.Over():
			r.flush(l, true)
			if r.m.Gone(l.side) {
				return toEnd
			}
			return toDrain
		case l.shake:
			r.flush(l, true)
			return toShake
		case r.m.Bare() && r.m.Gone(l.side): // whatever may still happen, the other direction does
			return toEnd
		case !r.m.WantsRead(l.side):
		case r.m.Bare():
			return toCarry
		default:
			return toRead
		}
		l.changed.Wait()
	}
}

// readOnce reads what there is and does what the machine makes of it.
func (r *relay) readOnce(l *leg, in *source) {
	b, err := in.read(l.conn)
	defer in.release()
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if len(b) > 0 {
		r.apply(r.m.Received(now, l.side, b))
		r.settle(l)
		if l.side == session.App {
			r.pause()
		}
	}
	if err == nil {
		return
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && l.broken == nil {
		r.woken(l)
		return
	}
	r.ended(l, err)
}

// wake makes both directions look at what has changed, wherever they wait.
func (r *relay) wake() {
	if r.carrier != nil {
		r.carrier.wake()
		return
	}
	for i := range r.legs {
		l := &r.legs[i]
		if l.conn != nil {
			_ = l.conn.SetReadDeadline(time.Unix(1, 0))
		}
		l.changed.Broadcast()
	}
}

// woken goes on behind a wake.
func (r *relay) woken(l *leg) {
	if !r.m.Over() {
		_ = l.conn.SetReadDeadline(time.Time{})
	}
	r.settle(l)
}

// settle writes what a change has brought about, hands its history over and
// sets the clock. from is the side whose buffer the writes may share.
func (r *relay) settle(from *leg) {
	r.flush(&r.legs[from.side.Peer()], true)
	r.flush(from, false)
	r.judge()
	r.handOver()
	for r.explain {
		r.annotate()
		r.flush(&r.legs[from.side.Peer()], true)
		r.flush(from, false)
		r.handOver()
	}
	r.arm()
}

// apply queues effects. The relay's lock is held.
func (r *relay) apply(effects []session.Effect) {
	for i := range effects {
		e := &effects[i]
		l := &r.legs[e.Side]
		switch e.Op {
		case session.OpRecord:
			r.record(e.Entry)
			r.anotherBody(e.Entry)
			continue
		case session.OpHandshake:
			l.shake = true
			r.legs[e.Side].changed.Broadcast()
			continue
		case session.OpExplain:
			r.explain = true
			continue
		case session.OpWrite:
			if e.Body {
				r.keepBody(e.Data)
			}
		}
		l.ended = l.ended || e.Op != session.OpWrite
		l.queue = append(l.queue, chunk{e.Op, e.Data})
		l.queued++
	}
	r.legs[session.App].changed.Broadcast()
	r.legs[session.Upstream].changed.Broadcast()
	if r.m.Over() && !r.over {
		r.expedite()
	}
}

// expedite bounds all that may still happen once the session is over.
func (r *relay) expedite() {
	r.over = true
	r.cancel()
	if r.spent(session.App) && r.spent(session.Upstream) {
		return
	}
	for i := range r.legs {
		if c := r.legs[i].conn; c != nil {
			_ = c.SetWriteDeadline(time.Now().Add(closeWriteWait))
		}
	}
	r.wake()
}

// spent reports whether a side has ended and has nothing more to take: nothing
// that could last is to be done on its leg.
func (r *relay) spent(side session.Side) bool {
	l := &r.legs[side]
	return r.m.Gone(side) && !l.writing && !slices.ContainsFunc(l.queue, func(c chunk) bool { return c.op == session.OpWrite })
}

// drain reads and drops what the peer still sends until it leaves or its time
// is up.
func (r *relay) drain(l *leg) {
	_ = l.conn.SetReadDeadline(time.Now().Add(closeReadWait))
	buf := make([]byte, 4<<10)
	for range 4096 {
		if _, err := l.conn.Read(buf); err != nil {
			return
		}
	}
}

// connect reaches the upstream and tells the machine.
func (r *relay) connect() {
	conn, err := r.dial()
	r.mu.Lock()
	defer r.mu.Unlock()
	up := &r.legs[session.Upstream]
	defer r.settle(up)
	now := time.Now()
	switch {
	case r.m.Over():
		if err == nil {
			_ = conn.Close()
		}
	case err != nil:
		r.apply(r.m.Unreachable(now, oddityOf(err), err.Error()))
	case r.route.Target.Implicit() && !r.route.Passthrough:
		r.connectSecure(conn)
	default:
		up.conn = conn
		r.apply(r.m.Connected(now, false))
	}
}

// oddityOf tells trouble of the proxy's own from trouble of the network.
func oddityOf(err error) session.Oddity {
	var e *upstream.Error
	switch {
	case errors.Is(err, errRedirected):
		return session.OddLoop
	case !errors.As(err, &e):
		return ""
	}
	switch e.Fault.Class {
	case session.FaultDescriptors:
		return session.OddLimit
	case session.FaultLoop:
		return session.OddLoop
	}
	return ""
}

// connectSecure makes TLS from the first byte on the upstream's leg.
func (r *relay) connectSecure(conn net.Conn) {
	r.mu.Unlock()
	tc, facts, fault := r.route.Connector.Secure(r.ctx, conn, r.route.secured())
	r.route.explainAddress(facts, fault)
	r.mu.Lock()
	now := time.Now()
	if r.m.Over() {
		_ = conn.Close()
		return
	}
	if fault == nil {
		r.legs[session.Upstream].conn = tc
	} else {
		r.legs[session.Upstream].parting = tcpInfo(conn)
		_ = conn.Close()
	}
	r.apply(r.m.Secured(now, session.Upstream, facts, fault))
	if fault == nil {
		r.noteCertificate(now, facts)
		r.apply(r.m.Connected(now, true))
	}
}

// shake makes TLS on a leg.
func (r *relay) shake(l *leg) {
	if l.side == session.App {
		r.shakeApp()
		return
	}
	tc, facts, fault := r.route.Connector.Secure(r.ctx, l.conn, r.route.secured())
	r.route.explainAddress(facts, fault)
	r.shaken(l, tc, facts, fault)
}

// shakeApp makes TLS on the app's leg.
func (r *relay) shakeApp() {
	l := &r.legs[session.App]
	var hello *tls.ClientHelloInfo
	cfg := r.route.TLS.Clone()
	cfg.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		hello = h
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(r.ctx, r.server.options.HandshakeTimeout)
	defer cancel()
	tap := upstream.NewTap(l.conn) // what is spoken instead of TLS shows in the facts
	tc := tls.Server(tap, cfg)
	start := time.Now()
	err := tc.HandshakeContext(ctx)
	facts, fault := upstream.AppFacts(tc, hello, err)
	tap.Done()
	if facts != nil {
		facts.Duration = time.Since(start)
	}
	r.shaken(l, tc, facts, fault)
}

// shaken goes on behind a handshake.
func (r *relay) shaken(l *leg, tc *tls.Conn, facts *session.TLS, fault *session.Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.shake = false
	if fault == nil {
		l.conn = tc
	}
	now := time.Now()
	r.apply(r.m.Secured(now, l.side, facts, fault))
	if fault == nil && l.side == session.Upstream {
		r.noteCertificate(now, facts)
	}
	r.settle(l)
}
