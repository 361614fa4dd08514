package proxy

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// flush does what is queued for a side. Neighbouring writes are one.
func (p *plain) flush(side session.Side) {
	l, s := &p.r.legs[side], &p.socks[side]
	queue := l.queue
	if len(queue) == 0 && !s.shut {
		return
	}
	for i := 0; i < len(queue); {
		if queue[i].op != session.OpWrite {
			p.shut(s)
			i++
			continue
		}
		k := i + 1
		for k < len(queue) && queue[k].op == session.OpWrite {
			k++
		}
		p.deliver(s, p.join(queue[i:k]), k < len(queue))
		i = k
	}
	l.flushed += uint64(len(queue))
	clear(queue)
	l.queue = queue[:0]
	p.shutWhenSent(s)
}

func (p *plain) join(queue []chunk) []byte {
	if len(queue) == 1 {
		return queue[0].data
	}
	p.x.joined = p.x.joined[:0]
	for i := range queue {
		p.x.joined = append(p.x.joined, queue[i].data...)
	}
	return p.x.joined
}

// deliver sends in the way that the leg asks for. Last words in clear go out
// with the end of our direction, in one segment.
func (p *plain) deliver(s *socket, b []byte, last bool) {
	if s.secure != nil {
		b = s.secure.seal(b)
	}
	p.send(s, b, last && s.secure == nil)
}

// shut has our direction end behind what is unsent.
func (p *plain) shut(s *socket) {
	s.shut = true
	if s.secure != nil && !(s.ended && p.r.m.Over()) {
		s.secure.end()
	}
}

// send writes, or keeps what the kernel does not take. Who says that there is
// more to come must see to it.
func (p *plain) send(s *socket, b []byte, more bool) {
	l := &p.r.legs[s.side]
	switch {
	case l.broken != nil || s.fd < 0:
		return
	case len(s.unsent) > 0:
		s.unsent = append(s.unsent, b...)
		return
	}
	write := rawWrite
	if more {
		write = rawWriteMore
	}
	n, e := write(s.fd, b)
	switch {
	case e != 0 && e != unix.EAGAIN:
		p.failed(l, os.NewSyscallError("write", e))
	case n < len(b):
		s.unsent = append(s.unsent, b[n:]...)
		l.writing, l.since = true, time.Now()
		if err := p.x.watchForRoom(s); err != nil {
			p.failed(l, os.NewSyscallError("epoll_ctl", err))
		}
	}
}

// resend goes on with what was left.
func (p *plain) resend(s *socket) {
	l := &p.r.legs[s.side]
	n, e := rawWrite(s.fd, s.unsent)
	switch {
	case e == unix.EAGAIN:
	case e != 0:
		p.failed(l, os.NewSyscallError("write", e))
	case n == len(s.unsent):
		s.unsent, l.writing = nil, false // an idle session holds no buffer
	default:
		s.unsent = append(s.unsent[:0], s.unsent[n:]...)
		l.since = time.Now()
	}
	p.shutWhenSent(s)
}

func (p *plain) failed(l *leg, err error) {
	p.r.breakOff(l, upstream.Classify("write", err))
}

// broken gives a side that cannot be written to a moment for its last words:
// its reading tells the machine of the end.
func (p *plain) broken(l *leg) {
	l.sock.unsent, l.writing = nil, false
	time.AfterFunc(closeReadWait, func() {
		p.x.call(func() {
			p.visit(func() bool {
				if !p.r.m.Gone(l.side) {
					p.r.apply(p.r.m.Closed(time.Now(), l.side, l.broken))
				}
				return true
			})
		})
	})
}

// shutWhenSent ends our direction once all is out.
func (p *plain) shutWhenSent(s *socket) {
	if !s.shut || s.fd < 0 || len(s.unsent) > 0 {
		return
	}
	s.shut = false
	if !s.ended || !p.r.m.Over() { // otherwise it is closed at once
		_ = unix.Shutdown(s.fd, unix.SHUT_WR)
	}
}

// wind closes what has ended, and gives the rest its time.
func (p *plain) wind() {
	open := p.dialing || p.judging || p.shaking
	for i := range p.socks {
		s := &p.socks[i]
		if (s.ended || s.connecting) && len(s.unsent) == 0 {
			p.close(s)
		}
		open = open || s.fd >= 0
	}
	switch {
	case !open:
		p.finish()
	case p.closeBy.IsZero():
		wait := closeReadWait
		if len(p.socks[session.App].unsent)+len(p.socks[session.Upstream].unsent) > 0 {
			wait += closeWriteWait
		}
		p.closeBy = time.Now().Add(wait)
		p.r.ringBy(p.closeBy)
	}
}

// hurry cuts what has had its time. The clock may ring before that: it was set
// for something else.
func (p *plain) hurry() {
	if time.Now().Before(p.closeBy) {
		p.r.ringBy(p.closeBy)
		return
	}
	p.cut()
	p.wake()
}

// cut closes both connections as they are.
func (p *plain) cut() {
	for i := range p.socks {
		p.close(&p.socks[i])
	}
}

// close gives a socket back.
func (p *plain) close(s *socket) {
	if s.fd < 0 {
		return
	}
	p.x.forget(s)
	_ = unix.Close(s.fd)
	s.fd, s.unsent, s.connecting = -1, nil, false
}

// finish hands the end of the session over.
func (p *plain) finish() {
	p.x.sessions.Add(-1)
	p.r.end()
	p.r.server.leave(p.r)
	p.r.server.running.Done()
}
