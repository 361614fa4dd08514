package proxy

import (
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"smtp-proxy/proxy/session"
)

// impatience is how long a connection attempt may take before the connector
// takes over, which races addresses and words what goes wrong.
const impatience = time.Second

// dial connects to the upstream: at once where its address needs no look-up,
// otherwise by way of the connector.
func (p *plain) dial() {
	to, ok := p.r.route.Connector.Address(p.r.route.Target)
	if !ok || !p.connect(to) {
		p.dialSlowly()
	}
}

// connect begins to connect and reports whether it could.
func (p *plain) connect(to netip.AddrPort) bool {
	family := unix.AF_INET6
	if to.Addr().Is4() {
		family = unix.AF_INET
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	p.began = time.Now()
	s := &p.socks[session.Upstream]
	s.fd, s.peer = fd, to
	if unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) != nil || rawConnect(fd, to) != 0 || p.x.watch(s) != nil {
		_ = unix.Close(fd)
		s.fd = -1
		return false
	}
	s.connecting = true
	p.r.ringBy(p.began.Add(impatience))
	return true
}

// connected goes on when the attempt has ended. The events that tell of it also
// tell how, and whether there is a greeting to read yet.
func (p *plain) connected(s *socket, events uint32) {
	s.connecting = false
	if events&unix.EPOLLERR != 0 { // the connector will say why
		p.close(s)
		p.dialSlowly()
		return
	}
	s.ready = events&^unix.EPOLLOUT != 0
	now := time.Now()
	entry := p.r.route.Connector.Reached(p.r.route.Target, localOf(s.fd), now, now.Sub(p.began))
	p.r.record(&entry)
	p.reached(now)
}

// reached goes on with the connection.
func (p *plain) reached(now time.Time) {
	if p.implicit() {
		p.shake()
		return
	}
	p.r.apply(p.r.m.Connected(now, false))
}

// impatient gives an attempt that takes its time to the connector, or cuts a
// session that does so to end. A connection that has lasted so long may last
// longer, so its peer is watched from now on: four calls that most sessions
// need not pay for.
func (p *plain) impatient() bool {
	s := &p.socks[session.Upstream]
	switch {
	case !p.closeBy.IsZero():
		p.hurry()
		return true
	case s.connecting:
		p.close(s)
		p.dialSlowly()
		return true
	case s.fd >= 0 && !p.lasting:
		_ = setKeepAlive(s.fd, p.r.route.Connector.KeepAlive())
		p.lasting = true
	}
	return false
}

// dialSlowly lets the connector do all that it takes.
func (p *plain) dialSlowly() {
	p.r.begin()
	p.dialing = true
	go p.aside(&p.dialing, func() {
		conn, err := p.r.route.Connector.Connect(p.r.ctx, p.r.route.Target, p.r.recordNow)
		p.r.mu.Lock()
		defer p.r.mu.Unlock()
		p.dialled(conn, err)
	})
}

// dialled takes what the connector has reached.
func (p *plain) dialled(conn net.Conn, err error) {
	r, now := p.r, time.Now()
	if err == nil {
		defer conn.Close()
	}
	switch {
	case r.m.Over():
	case err != nil:
		r.apply(r.m.Unreachable(now, oddityOf(err), err.Error()))
	default:
		if err := p.adopt(conn); err != nil {
			r.apply(r.m.Unreachable(now, session.OddLimit, err.Error()))
			return
		}
		p.reached(now)
	}
}

// adopt takes a connection over from the runtime.
func (p *plain) adopt(conn net.Conn) (err error) {
	s := &p.socks[session.Upstream]
	onSocket(conn, func(fd int) { s.fd, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0) })
	if err != nil {
		s.fd = -1
		return err
	}
	s.ready, s.peer = true, addrOf(conn.RemoteAddr())
	if err = p.x.watch(s); err != nil {
		_ = unix.Close(s.fd)
		s.fd = -1
	}
	return err
}
