package proxy

import (
	"encoding/binary"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"smtp-proxy/proxy/session"
)

// How reactors work.
//
// A session that makes no TLS with its app needs no goroutine: a reactor waits for
// the sockets of many, and does what the machine of each makes of what has
// come. That saves the switches between goroutines, which cost more than all
// the rest of a session, and the stacks of idle ones. Sessions that need
// an annotation, or TLS on the app's leg, go on, or begin, with goroutines of
// their own.
//
// Sockets are watched edge-triggered: a session notes that a socket is ready
// and reads until it is not. Nothing in a reactor waits but for events; it
// takes a session's lock only for a moment, as anybody else does.
//
// Raw system calls are used where they cannot block, which is everywhere but in
// the wait for events: the scheduler need not hear of them.

// reactor carries the sessions whose connections it has accepted.
type reactor struct {
	server *Server
	ep     int             // watches all the rest
	nap    int             // watches ep while the reactor sleeps
	file   *os.File        // the same
	ready  syscall.RawConn // of file
	events [eventsMost]unix.EpollEvent
	bell   int              // an eventfd
	buf    [readAtOnce]byte // what has just been read, whoever from
	joined []byte           // neighbouring writes as one
	sealed []byte           // the same under TLS

	sessions atomic.Int64 // that it carries

	doors  []door // its own goroutine's, once it runs
	admits bool   // the server counts it among those who let sessions in
	again  []*plain

	mu    sync.Mutex
	slots []slot
	free  []int32
	calls []func()
	ended bool
}

const (
	readAtOnce = 128 << 10
	eventsMost = 256
)

// slot is a place for a watched socket. Its turn tells events of a socket that
// was there before.
type slot struct {
	sock *socket
	turn int32
}

// What an event's number stands for when it is no slot.
const (
	atBell  = -1
	atDoors = -2 // and below
)

func newReactor(s *Server) (x *reactor, err error) {
	x = &reactor{server: s, ep: -1, nap: -1, bell: -1}
	if x.ep, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err == nil {
		x.nap, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	}
	if err == nil {
		x.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	}
	if err == nil {
		err = epollAdd(x.ep, x.bell, unix.EPOLLIN, atBell, 0)
	}
	if err == nil {
		err = x.waitable()
	}
	if err != nil {
		x.giveBack()
		return nil, err
	}
	return x, nil
}

// giveBack closes what newReactor has opened.
func (x *reactor) giveBack() {
	for _, fd := range []int{x.ep, x.nap, x.bell} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// waitable lets the runtime tell when there are events, so that a reactor
// without any sleeps as every goroutine does: a thread that slept in epoll_wait
// would have to find itself a processor at each waking.
//
// The runtime watches nap, and nap tells of ep once each time that doze asks
// for it. Were ep watched itself, each event that comes while the reactor is at
// work would wake a thread for nothing.
func (x *reactor) waitable() (err error) {
	if err := unix.SetNonblock(x.nap, true); err != nil {
		return err
	}
	if err := epollAdd(x.nap, x.ep, unix.EPOLLIN|unix.EPOLLONESHOT, 0, 0); err != nil {
		return err
	}
	x.file = os.NewFile(uintptr(x.nap), "epoll")
	x.ready, err = x.file.SyscallConn()
	return err
}

// run works until end is called.
func (x *reactor) run() {
	if err := x.ready.Read(x.work); err != nil {
		x.server.options.Log.Error().Err(err).Msg("a reactor has stopped and its sessions hang: please report this")
	}
	x.answer()
	x.closeDoors()
	_ = x.file.Close() // nap
	_ = unix.Close(x.ep)
	_ = unix.Close(x.bell)
}

// work does what there is to do and returns false to be called when there is
// more, true at the end.
func (x *reactor) work(uintptr) bool {
	x.rouse()
	for !x.over() {
		n := x.look(x.ep)
		for i := range n {
			x.dispatch(x.events[i])
		}
		// Whoever has just met one event alone will hardly meet another by
		// looking at once.
		if n <= 1 && len(x.again) == 0 && x.doze() {
			return x.over()
		}
		x.goOn()
	}
	return true
}

// rouse ends the sleep: what nap has told is taken from it, or it would not
// tell of anything again.
func (x *reactor) rouse() { x.look(x.nap) }

// doze asks nap for word of the next event, or of one that is there already:
// one that came since the look, or a door at which more are waiting than were
// let in.
func (x *reactor) doze() bool {
	return epollCtl(x.nap, unix.EPOLL_CTL_MOD, x.ep, unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT}) == nil
}

// look takes the events that there are.
func (x *reactor) look(ep int) int {
	n, _, e := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(ep), uintptr(unsafe.Pointer(&x.events[0])), eventsMost, 0, 0, 0)
	if e != 0 { // EINTR
		return 0
	}
	return int(n)
}

func (x *reactor) dispatch(ev unix.EpollEvent) {
	switch {
	case ev.Fd == atBell:
		x.answer()
	case ev.Fd <= atDoors:
		x.accept(&x.doors[atDoors-ev.Fd])
	default:
		if s := x.watched(ev.Fd, ev.Pad); s != nil {
			s.plain.event(s, ev.Events)
		}
	}
}

// goOn gives those that had more to read than their share another turn.
func (x *reactor) goOn() {
	again := x.again
	x.again = nil
	for _, p := range again {
		p.visit(nil)
	}
}

// What a socket is watched for, always. An app's is watched for room to write
// only from the first time that it has none: it begins with some, and would
// begin with an event that says so.
const inward = unix.EPOLLIN | unix.EPOLLPRI | unix.EPOLLRDHUP | unix.EPOLLET

// watch begins to watch a socket.
func (x *reactor) watch(s *socket) error {
	x.mu.Lock()
	if k := len(x.free) - 1; k >= 0 {
		s.slot, x.free = x.free[k], x.free[:k]
	} else {
		s.slot = int32(len(x.slots))
		x.slots = append(x.slots, slot{})
	}
	at := &x.slots[s.slot]
	at.sock = s
	turn := at.turn
	x.mu.Unlock()
	events := uint32(inward)
	if s.side == session.Upstream || len(s.unsent) > 0 { // the end of a connect is room to write
		events |= unix.EPOLLOUT
		s.forRoom = true
	}
	err := epollAdd(x.ep, s.fd, events, s.slot, turn)
	if err != nil {
		x.forget(s)
	}
	return err
}

// watchForRoom has a socket's events tell of room to write, too. They tell at
// once if there is some by now.
func (x *reactor) watchForRoom(s *socket) error {
	if s.forRoom || s.slot < 0 {
		return nil
	}
	s.forRoom = true
	x.mu.Lock()
	turn := x.slots[s.slot].turn
	x.mu.Unlock()
	return epollCtl(x.ep, unix.EPOLL_CTL_MOD, s.fd, unix.EpollEvent{Events: inward | unix.EPOLLOUT, Fd: s.slot, Pad: turn})
}

// forget ends the watch of a socket that is about to be closed, if there is
// one.
func (x *reactor) forget(s *socket) {
	if s.slot < 0 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	at := &x.slots[s.slot]
	at.sock = nil
	at.turn++
	x.free = append(x.free, s.slot)
	s.slot = -1
}

func (x *reactor) watched(at, turn int32) *socket {
	x.mu.Lock()
	defer x.mu.Unlock()
	if s := &x.slots[at]; s.turn == turn {
		return s.sock
	}
	return nil
}

// call has f run by the reactor's goroutine, soon; not at all once the reactor
// is to end: by then the number of its bell may be another's.
func (x *reactor) call(f func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ended {
		return
	}
	x.calls = append(x.calls, f)
	if len(x.calls) == 1 {
		x.ring()
	}
}

// end has run return. Its sessions must have ended.
func (x *reactor) end() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.ended {
		x.ended = true
		x.ring()
	}
}

func (x *reactor) over() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.ended
}

func (x *reactor) ring() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = unix.Write(x.bell, one[:])
}

func (x *reactor) answer() {
	var rings [8]byte
	_, _ = unix.Read(x.bell, rings[:])
	x.mu.Lock()
	calls := x.calls
	x.calls = nil
	x.mu.Unlock()
	for _, f := range calls {
		f()
	}
}

func epollAdd(ep, fd int, events uint32, number, turn int32) error {
	return epollCtl(ep, unix.EPOLL_CTL_ADD, fd, unix.EpollEvent{Events: events, Fd: number, Pad: turn})
}

func epollCtl(ep int, op uintptr, fd int, ev unix.EpollEvent) error {
	_, _, e := syscall.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(ep), op, uintptr(fd), uintptr(unsafe.Pointer(&ev)), 0, 0)
	if e != 0 {
		return e
	}
	return nil
}

// makeReactors makes one for each processor, once.
func (s *Server) makeReactors() error {
	if len(s.reactors) > 0 {
		return nil
	}
	for range runtime.GOMAXPROCS(0) {
		x, err := newReactor(s)
		if err != nil {
			return err
		}
		s.reactors = append(s.reactors, x)
	}
	return nil
}

// startReactors sets them to work. The server's lock is held.
func (s *Server) startReactors() {
	s.spins = true
	for _, x := range s.reactors {
		x.admits = true
		s.accepts.Add(1)
		s.spinning.Go(x.run)
	}
}

// endReactors ends them when no session is left.
func (s *Server) endReactors() {
	s.mu.Lock()
	spins := s.spins
	s.mu.Unlock()
	for _, x := range s.reactors {
		x.end()
		if !spins {
			x.run() // gives back what it has
		}
	}
	s.spinning.Wait()
}
