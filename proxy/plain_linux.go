package proxy

import (
	"io"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"smtp-proxy/proxy/session"
)

// plain carries a session whose app's leg is in clear in a reactor. The relay's
// lock guards it.
type plain struct {
	r       *relay
	x       *reactor
	socks   [2]socket
	began   time.Time // the connection attempt
	dialing bool      // the connector is at work, in a goroutine
	judging bool      // so is the judge of a chain that was read
	shaking bool      // so is the handshake with the upstream
	paused  bool      // the app outruns the record
	busy    bool      // the reactor is at work on it
	lasting bool      // the upstream's connection is watched by keep-alives
	moved   bool      // goroutines of its own carry the session
	closeBy time.Time // when both legs must have ended, once the session is over
}

// socket is one leg of it.
type socket struct {
	plain      *plain
	peer       netip.AddrPort
	fd         int   // -1 for none
	slot       int32 // -1 while it is not watched
	side       session.Side
	connecting bool
	ready      bool           // there may be something to read
	peerEnds   bool           // the end has been announced: read on to it
	fin        bool           // that is a FIN, and a read takes all before it
	atEnd      bool           // all before the FIN has been read
	ended      bool           // the end has been read
	forRoom    bool           // it is watched for room to write
	shut       bool           // our direction is to end behind what is unsent
	waits      *session.Fault // a reset that the machine hears of behind the other side's end
	unsent     []byte         // what the kernel has not taken yet
	secure     *veil          // under TLS
}

// turns is how often a session reads in one visit, so that a large message
// leaves the others their turn.
const turns = 16

func newPlain(r *relay, x *reactor, fd int, from netip.AddrPort) *plain {
	r.mu.Lock() // who stops the server may have found it already
	defer r.mu.Unlock()
	p := &plain{r: r, x: x}
	x.sessions.Add(1)
	for i := range p.socks {
		p.socks[i] = socket{plain: p, side: session.Side(i), fd: -1, slot: -1}
		r.legs[i].sock = &p.socks[i]
	}
	p.socks[session.App].fd, p.socks[session.App].peer = fd, from
	r.carrier = p
	return p
}

// start begins the session: the app is there, the upstream is dialled. Any
// goroutine may call it; what comes of it is for the reactor's.
func (p *plain) start() {
	r := p.r
	r.mu.Lock()
	defer r.mu.Unlock()
	r.arrived()
	if !r.m.Over() { // stopped meanwhile
		p.dial()
	}
	r.handOver()
	if err := p.x.watch(&p.socks[session.App]); err != nil {
		r.apply(r.m.Abort(time.Now(), session.OddLimit, "the connection cannot be watched: "+err.Error()))
		p.wake()
	}
}

// event takes what epoll says of a socket.
func (p *plain) event(s *socket, events uint32) {
	p.visit(func() (settle bool) {
		s.announced(events)
		if s.connecting {
			p.connected(s, events)
			return true
		}
		if events&unix.EPOLLOUT != 0 && len(s.unsent) > 0 {
			p.resend(s)
			settle = true
		}
		if events&^unix.EPOLLOUT != 0 {
			s.ready = true
		}
		return settle || p.shaking // who shakes hands waits to hear of it
	})
}

// announced notes what events say of the end of what a side sends. Behind a FIN
// nothing comes but a reset, which faultOf sees; and a read takes all that its
// buffer holds of what is before it, unless an urgent mark breaks that up.
func (s *socket) announced(events uint32) {
	if events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		s.peerEnds = true
		s.fin = events&(unix.EPOLLHUP|unix.EPOLLERR|unix.EPOLLPRI) == 0
	}
}

// visit does what a change asks for, and what that makes possible. The change
// reports whether it leaves something to be settled before anything is read;
// nil is one that has been made already. A bug in it ends this session alone.
func (p *plain) visit(change func() (settle bool)) {
	defer func() {
		if bug := recover(); bug != nil {
			p.r.panicked(bug)
		}
	}()
	p.r.mu.Lock()
	defer p.r.mu.Unlock()
	if p.moved || p.r.finished {
		return
	}
	p.busy = true
	defer func() { p.busy = false }()
	if change == nil || change() {
		p.settle()
	}
	p.pump()
}

// bury ends a session that could not even be aborted: no event will ever come.
func (p *plain) bury() {
	if !p.moved && !p.r.finished && !p.dialing && !p.judging && !p.shaking {
		p.finish()
	}
}

// wake has the reactor look at what somebody else has changed.
func (p *plain) wake() {
	if !p.busy {
		p.x.call(func() { p.visit(nil) })
	}
}

// pump reads what may be read, until nothing is left or the share is used up.
func (p *plain) pump() {
	for range turns {
		switch {
		case p.moved || p.r.finished:
			return
		case p.mayRead(session.App):
			p.read(&p.socks[session.App])
		case p.mayRead(session.Upstream):
			p.read(&p.socks[session.Upstream])
		case !p.tellReset():
			return
		}
		p.settle()
	}
	p.x.again = append(p.x.again, p)
}

// mayRead reports whether a side has something that is welcome now. A side that
// takes nothing holds the other back.
func (p *plain) mayRead(side session.Side) bool {
	s := &p.socks[side]
	switch {
	case !s.ready || s.fd < 0 || s.connecting || p.shaking && side == session.Upstream:
		return false
	case p.r.m.Over():
		return true // dropped
	case p.paused && side == session.App:
		return false
	}
	return len(s.unsent) == 0 && len(p.socks[side.Peer()].unsent) == 0 && p.r.m.WantsRead(side)
}

// read takes one buffer of what has come.
func (p *plain) read(s *socket) {
	if s.secure != nil && !p.r.m.Over() {
		p.readSecure(s)
		return
	}
	if s.atEnd {
		p.ended(s, io.EOF)
		return
	}
	n, e := rawRead(s.fd, p.x.buf[:])
	switch {
	case e == unix.EAGAIN:
		s.ready = false
	case e != 0:
		p.ended(s, os.NewSyscallError("read", e))
	case n == 0:
		p.ended(s, io.EOF)
	default:
		all := n < len(p.x.buf) // or it would have been filled
		s.ready = !all || s.peerEnds
		s.atEnd = all && s.fin
		if !p.r.m.Over() {
			p.r.apply(p.r.m.Received(time.Now(), s.side, p.x.buf[:n]))
		}
		if s.atEnd && p.mayRead(s.side) { // so that the last words and the end leave together
			p.ended(s, io.EOF)
		}
	}
}

// ended takes the end of what a side sends.
func (p *plain) ended(s *socket, err error) {
	s.ready, s.ended = false, true
	if p.r.m.Gone(s.side) {
		return
	}
	fault := p.r.legs[s.side].faultOf(err)
	if fault != nil && fault.Class == session.FaultReset && p.endedBefore(s.side.Peer()) {
		s.waits = fault
		return
	}
	p.r.apply(p.r.m.Closed(time.Now(), s.side, fault))
}

// endedBefore reports whether a side's end lies in the kernel: a party that has
// ended the session is often answered with a reset, and the two arrive
// together. That side is read first then.
func (p *plain) endedBefore(side session.Side) bool {
	s := &p.socks[side]
	if s.ended || s.fd < 0 || s.connecting {
		return false
	}
	tcp := tcpInfoOf(s.fd)
	s.ready = tcp != nil && tcp.State == stateCloseWait
	return s.ready
}

// tellReset tells the machine of a reset that has waited, and reports whether
// there was one.
func (p *plain) tellReset() bool {
	for i := range p.socks {
		if s := &p.socks[i]; s.waits != nil {
			fault := s.waits
			s.waits = nil
			p.r.apply(p.r.m.Closed(time.Now(), s.side, fault))
			return true
		}
	}
	return false
}

// settle writes what is queued, hands the history over and sees to what comes
// next.
func (p *plain) settle() {
	r := p.r
	p.flush(session.Upstream)
	p.flush(session.App)
	if p.shaking {
		r.legs[session.Upstream].changed.Broadcast()
	}
	p.judge()
	if !p.judging {
		r.handOver()
		p.pause()
	}
	switch {
	case r.m.Over():
		p.wind()
	case p.shaking:
	case r.legs[session.Upstream].shake && r.route.AppTLS == session.AppNone:
		p.shake()
	case r.legs[session.App].shake || r.legs[session.Upstream].shake:
		p.move()
	default:
		r.arm()
	}
}

// judge has a chain that was read on its way judged meanwhile. What is to be
// handed over waits for that.
func (p *plain) judge() {
	if p.r.unjudged == nil || p.judging {
		return
	}
	p.judging = true
	go p.aside(&p.judging, func() {
		p.r.mu.Lock()
		defer p.r.mu.Unlock()
		p.r.judge()
	})
}

// aside does what must not keep the reactor waiting. What it says of itself
// ends with it, a bug or not: nobody waits for more.
func (p *plain) aside(underWay *bool, work func()) {
	p.r.contain(work)
	p.r.mu.Lock()
	defer p.r.mu.Unlock()
	*underWay = false
	p.wake()
}

// pause leaves an app that outruns the record alone until there is room.
func (p *plain) pause() {
	if p.paused || !p.r.outruns() {
		return
	}
	began := time.Now()
	p.paused = true
	p.r.server.options.Recorder.awaitRoom(func() {
		p.x.call(func() {
			p.visit(func() bool {
				p.paused = false
				p.r.pace.waited += time.Since(began)
				return true
			})
		})
	})
}
