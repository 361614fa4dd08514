package proxy

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"smtp-proxy/proxy/session"
)

// How a reactor carries TLS.
//
// Only the handshake with the upstream waits: a goroutine makes it and ends
// with it. The socket stays with the reactor, which tells that goroutine when
// there is something to read. Afterwards the reactor seals what it sends and
// opens what it reads in passing; crypto/tls takes a connection that has
// nothing for now (EAGAIN is a temporary error) and goes on later.
//
// The end of the handshake waits for the EHLO behind it, and the records of a
// burst for each other: one write each. What is left of a short session's cost
// is the handshake, about half; three quarters of that is the exchange of keys
// (X25519MLKEM768), which resumption does not spare.

// veil is a socket as crypto/tls sees it. The relay's lock guards it.
type veil struct {
	p       *plain
	s       *socket
	conn    *tls.Conn // nil until the handshake has gone well
	shaking bool      // a goroutine makes the handshake; otherwise the caller has the lock
	closed  bool      // the handshake is to end
	out     []byte    // what TLS has written: it goes out with what comes next, or before an answer is awaited
}

// shake makes TLS with the upstream, aside.
func (p *plain) shake() {
	p.r.begin()
	p.shaking = true
	v := &veil{p: p, s: &p.socks[session.Upstream], shaking: true}
	go p.r.contain(func() {
		defer p.endShaking()
		conn, facts, fault := p.r.route.Connector.Secure(p.r.ctx, v, p.r.route.secured())
		p.r.route.explainAddress(facts, fault)
		p.shaken(v, conn, facts, fault)
	})
}

// endShaking gives the socket back to the reactor, whatever has happened.
func (p *plain) endShaking() {
	p.r.mu.Lock()
	defer p.r.mu.Unlock()
	if p.shaking {
		p.shaking = false
		p.wake()
	}
}

// shaken goes on behind the handshake. What the machine says next goes out at
// once, together with the end of the handshake, and the reactor hears of the
// answer.
func (p *plain) shaken(v *veil, conn *tls.Conn, facts *session.TLS, fault *session.Fault) {
	r := p.r
	r.mu.Lock()
	defer r.mu.Unlock()
	p.shaking, v.shaking, r.legs[session.Upstream].shake = false, false, false
	if fault == nil {
		v.conn, v.s.secure = conn, v
	} else {
		v.push()
	}
	p.secured(v, facts, fault)
	if fault != nil || !p.answered(v) {
		p.wake()
		return
	}
	r.handOver()
	r.arm()
}

// implicit reports whether TLS comes first on the upstream's leg.
func (p *plain) implicit() bool { return p.r.route.Target.Implicit() && !p.r.route.Passthrough }

// secured tells the machine. A leg that was to begin with TLS and could not has
// nothing more to say.
func (p *plain) secured(v *veil, facts *session.TLS, fault *session.Fault) {
	r, now := p.r, time.Now()
	if p.implicit() && fault != nil {
		r.legs[session.Upstream].parting = r.legs[session.Upstream].tcpInfo()
		p.close(v.s)
	}
	if p.implicit() && r.m.Over() {
		return
	}
	r.apply(r.m.Secured(now, session.Upstream, facts, fault))
	if fault != nil {
		return
	}
	r.noteCertificate(now, facts)
	if p.implicit() {
		r.apply(r.m.Connected(now, true))
	}
}

// answered sends what is queued for the upstream, and reports whether nothing
// else is to be done.
func (p *plain) answered(v *veil) bool {
	l := &p.r.legs[session.Upstream]
	for i := range l.queue {
		if l.queue[i].op != session.OpWrite {
			return false
		}
	}
	for i := range l.queue {
		if _, err := v.conn.Write(l.queue[i].data); err != nil {
			return false
		}
	}
	l.flushed += uint64(len(l.queue))
	clear(l.queue)
	l.queue = l.queue[:0]
	v.push()
	return !v.early() && len(p.r.legs[session.App].queue) == 0 && !p.r.m.Over() && !p.mayRead(session.App)
}

// early reports whether something may have come behind the handshake already.
// TLS may hold it, so that the socket would never tell.
func (v *veil) early() bool {
	b := buffers.Get().(*[readSize]byte)
	defer buffers.Put(b)
	n, err := v.conn.Read(b[:])
	if n > 0 {
		v.p.r.apply(v.p.r.m.Received(time.Now(), v.s.side, append([]byte(nil), b[:n]...)))
	}
	switch {
	case errors.Is(err, unix.EAGAIN):
		return n > 0
	case err != nil:
		v.p.ended(v.s, err)
	}
	v.s.ready = true
	return true
}

// seal makes TLS of what is to be sent. It is valid until the next call in the
// same reactor.
func (v *veil) seal(b []byte) []byte {
	x := v.p.x
	v.out = append(x.sealed[:0], v.out...)
	if _, err := v.conn.Write(b); err != nil {
		v.p.failed(&v.p.r.legs[v.s.side], err)
	}
	x.sealed, v.out = v.out, nil
	return x.sealed
}

// push sends what TLS has written.
func (v *veil) push() {
	if len(v.out) > 0 {
		v.p.send(v.s, v.out, false)
		v.out = nil
	}
}

// end says goodbye.
func (v *veil) end() {
	_ = v.conn.CloseWrite() // the peer may have gone; there is nobody to tell
	v.push()
}

// readSecure takes what has come under TLS, as much as one buffer holds.
func (p *plain) readSecure(s *socket) {
	v, buf := s.secure, p.x.buf[:]
	n, err := 0, error(nil)
	for err == nil && n < len(buf) {
		var k int
		k, err = v.conn.Read(buf[n:])
		n += k
	}
	v.push()
	if n > 0 {
		p.r.apply(p.r.m.Received(time.Now(), s.side, buf[:n]))
	}
	switch {
	case err == nil:
		s.ready = true // TLS may hold more
	case !errors.Is(err, unix.EAGAIN):
		p.ended(s, err)
	}
}

// Read is for crypto/tls. In a handshake it waits; in the reactor it returns
// EAGAIN when there is nothing.
func (v *veil) Read(b []byte) (int, error) {
	if !v.shaking {
		return v.read(b)
	}
	r := v.p.r
	r.mu.Lock()
	defer r.mu.Unlock()
	v.push()
	for {
		if v.closed || v.s.fd < 0 {
			return 0, net.ErrClosed
		}
		if n, err := v.read(b); err != unix.EAGAIN {
			return n, err
		}
		r.legs[v.s.side].changed.Wait()
	}
}

// read reads once, if there may be something.
func (v *veil) read(b []byte) (int, error) {
	if !v.s.ready {
		return 0, unix.EAGAIN
	}
	n, e := rawRead(v.s.fd, b)
	switch {
	case e == unix.EAGAIN:
		v.s.ready = false
		return 0, unix.EAGAIN
	case e != 0:
		return 0, os.NewSyscallError("read", e)
	case n == 0:
		return 0, io.EOF
	}
	v.s.ready = n == len(b) || v.s.peerEnds
	return n, nil
}

// Write is for crypto/tls.
func (v *veil) Write(b []byte) (int, error) {
	v.out = append(v.out, b...)
	return len(b), nil
}

// Close ends a handshake that has taken too long or is not wanted any more. The
// socket is the reactor's to close.
func (v *veil) Close() error {
	v.p.r.mu.Lock()
	defer v.p.r.mu.Unlock()
	v.closed = true
	v.p.r.legs[v.s.side].changed.Broadcast()
	return nil
}

// LocalAddr is the socket's own address.
func (v *veil) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(localOf(v.s.fd)) }

// RemoteAddr is the peer's.
func (v *veil) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(v.s.peer) }

// SetDeadline does nothing: nothing waits here but the handshake, which has a
// context.
func (v *veil) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (v *veil) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (v *veil) SetWriteDeadline(time.Time) error { return nil }
