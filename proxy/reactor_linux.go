package proxy

import (
	"encoding/binary"
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
// Raw system calls are used where they cannot block for long, which is
// everywhere but in sleep: the scheduler need not hear of them.

// reactor carries the sessions whose connections it has accepted.
type reactor struct {
	server *Server
	number int // among the server's
	ep     int // watches all the rest
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

func newReactor(s *Server, number int) (x *reactor, err error) {
	x = &reactor{server: s, number: number, ep: -1, bell: -1}
	if x.ep, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err == nil {
		x.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	}
	if err == nil {
		err = epollAdd(x.ep, x.bell, unix.EPOLLIN, atBell, 0)
	}
	if err != nil {
		x.giveBack()
		return nil, err
	}
	return x, nil
}

// giveBack closes what newReactor has opened.
func (x *reactor) giveBack() {
	for _, fd := range []int{x.ep, x.bell} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// run works until end is called, in a thread of its own that ends with it.
func (x *reactor) run() {
	runtime.LockOSThread()
	x.settleDown()
	for !x.over() {
		x.work()
	}
	x.leave()
}

// leave gives back what a reactor has when nothing is left to do.
func (x *reactor) leave() {
	x.answer()
	x.closeDoors()
	_ = unix.Close(x.ep)
	_ = unix.Close(x.bell)
}

// work does what there is to do, and waits for it first.
func (x *reactor) work() {
	patience := x.server.patience
	if len(x.again) > 0 {
		patience = 0
	}
	n := x.look(patience)
	if n == 0 && len(x.again) == 0 {
		n = x.sleep()
	}
	for i := range n {
		x.dispatch(x.events[i])
	}
	x.goOn()
}

// look takes the events that there are, and waits at most some milliseconds for
// the first. The scheduler does not hear of it: between two events of sessions
// at work, to give a processor back and to find one again takes longer than the
// wait. The signal that stops the world for the collector ends the wait.
func (x *reactor) look(patience int) int {
	n, _, e := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(x.ep), uintptr(unsafe.Pointer(&x.events[0])), eventsMost, uintptr(patience), 0, 0)
	if e != 0 { // EINTR
		return 0
	}
	return int(n)
}

// sleep waits for events as long as it takes, and leaves the processor to
// others.
func (x *reactor) sleep() int {
	n, err := unix.EpollWait(x.ep, x.events[:], -1)
	if err != nil { // EINTR
		return 0
	}
	return n
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

// makeReactors makes them, once.
func (s *Server) makeReactors() error {
	if len(s.reactors) > 0 {
		return nil
	}
	for i := range s.reactorsWanted() {
		x, err := newReactor(s, i)
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
			x.leave()
		}
	}
	s.spinning.Wait()
}
