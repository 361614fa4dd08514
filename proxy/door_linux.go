package proxy

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"smtp-proxy/proxy/session"
)

// door is a listener of a reactor: a descriptor of its own for a socket that
// all reactors share.
type door struct {
	fd    int
	route *Route
	pause time.Duration // while there are no descriptors
}

// acceptAtOnce is how many connections one look at a door takes, so that those
// who are inside get their turn.
const acceptAtOnce = 64

// inReactor reports whether a route's sessions may begin in a reactor. One that
// has TLS of its own on the app's leg could not end there.
func (r *Route) inReactor() bool {
	onApp := r.AppTLS == session.AppImplicit || r.AppTLS != session.AppNone && r.Target.Implicit()
	return (r.Passthrough || !onApp) && !r.Transparent && r.Annotator == nil
}

// shareListeners has reactors take over the listeners that they can serve. The
// runtime's own descriptor is closed: its poller would wake a thread for each
// connection that comes, to no purpose. The socket goes on listening for those
// who watch the doors.
func (s *Server) shareListeners() {
	for i := range s.listeners {
		l := &s.listeners[i]
		l.shared = !s.options.goroutines && l.route.inReactor() && s.share(l) == nil
		if l.shared {
			_ = l.Close()
		}
	}
}

// share opens a listener's door in every reactor.
func (s *Server) share(l *listener) error {
	if err := s.makeReactors(); err != nil {
		return err
	}
	t, ok := l.Listener.(*net.TCPListener)
	if !ok {
		return fmt.Errorf("%s is no TCP listener", l.Addr())
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return err
	}
	fail := raw.Control(func(fd uintptr) { err = s.openDoors(int(fd), l.route) })
	if fail != nil {
		return fail
	}
	return err
}

// openDoors sets on the listener what all its connections are to have, and
// lets every reactor watch it.
func (s *Server) openDoors(fd int, route *Route) error {
	if err := setKeepAlive(fd, appKeepAlive()); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	for _, x := range s.reactors {
		own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return err
		}
		x.doors = append(x.doors, door{fd: own, route: route})
		if err := x.openDoor(len(x.doors) - 1); err != nil {
			return err
		}
	}
	return nil
}

func (x *reactor) openDoor(i int) error {
	return epollAdd(x.ep, x.doors[i].fd, unix.EPOLLIN|unix.EPOLLEXCLUSIVE, int32(atDoors-i), 0)
}

// closeDoors ends the reactors' share of all listeners. The sockets stop to
// listen at once; their descriptors are closed by those who use them.
func (s *Server) closeDoors() {
	for _, x := range s.reactors {
		x.call(x.closeDoors)
	}
}

func (x *reactor) closeDoors() {
	for i := range x.doors {
		if d := &x.doors[i]; d.fd >= 0 {
			_ = unix.Close(d.fd)
			d.fd = -1
		}
	}
	if x.admits {
		x.admits = false
		x.server.accepts.Done()
	}
}

// accept takes connections that wait at a door.
func (x *reactor) accept(d *door) {
	for range acceptAtOnce {
		var from unix.RawSockaddrAny
		size := uint32(unix.SizeofSockaddrAny)
		fd, _, e := syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(d.fd), uintptr(unsafe.Pointer(&from)), uintptr(unsafe.Pointer(&size)),
			unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
		switch e {
		case 0:
			d.pause = 0
			x.admit(int(fd), addrPortOf(&from), d.route)
		case unix.EINTR, unix.ECONNABORTED:
		case unix.EAGAIN, unix.EINVAL, unix.EBADF: // nobody waits; the listener is closed
			return
		default:
			x.rest(d, e)
			return
		}
	}
}

// rest leaves a door alone for a while: without descriptors to be had it would
// be looked at again and again.
func (x *reactor) rest(d *door, why syscall.Errno) {
	d.pause = min(max(2*d.pause, 5*time.Millisecond), time.Second)
	x.server.options.Log.Warn().Err(why).Str("route", d.route.Name).Msg("cannot accept a connection; trying again")
	_ = unix.EpollCtl(x.ep, unix.EPOLL_CTL_DEL, d.fd, nil)
	time.AfterFunc(d.pause, func() {
		x.call(func() {
			if i := x.doorOf(d); d.fd >= 0 {
				_ = x.openDoor(i)
			}
		})
	})
}

func (x *reactor) doorOf(d *door) int {
	for i := range x.doors {
		if &x.doors[i] == d {
			return i
		}
	}
	return 0
}

// admit begins a session, or turns it away.
func (x *reactor) admit(fd int, from netip.AddrPort, route *Route) {
	s := x.server
	r := s.newRelay(from.String(), route)
	if odd, why := s.admit(r, from); why != "" {
		conn, err := connOf(fd, from)
		if err != nil {
			return
		}
		r.begin()
		s.running.Go(func() { r.turnAway(conn, odd, why) })
		return
	}
	s.running.Add(1)
	r.contain(newPlain(r, s.leastLoaded(x), fd, from).start)
}

// leastLoaded is the reactor with the fewest sessions, x before others: the
// kernel wakes the same one for most connections.
func (s *Server) leastLoaded(x *reactor) *reactor {
	for _, other := range s.reactors {
		if other.sessions.Load() < x.sessions.Load() {
			x = other
		}
	}
	return x
}

// connOf gives a descriptor to the runtime.
func connOf(fd int, peer netip.AddrPort) (net.Conn, error) {
	f := os.NewFile(uintptr(fd), "tcp")
	defer f.Close()
	conn, err := net.FileConn(f)
	if tcp, ok := conn.(*net.TCPConn); ok && conn.RemoteAddr() == nil {
		return orphan{tcp, net.TCPAddrFromAddrPort(peer)}, nil
	}
	return conn, err
}

// orphan is a connection whose peer had gone before the runtime could ask who
// it was. What it has said may still be read.
type orphan struct {
	*net.TCPConn
	peer net.Addr
}

// RemoteAddr is the address of the peer that was.
func (o orphan) RemoteAddr() net.Addr { return o.peer }
