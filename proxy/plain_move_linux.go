package proxy

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"smtp-proxy/proxy/session"
)

// move gives the session goroutines of its own, which can shake hands and carry
// a tunnel. What is unsent goes along.
func (p *plain) move() {
	r := p.r
	for i := range p.socks {
		s, l := &p.socks[i], &r.legs[i]
		if s.fd < 0 {
			continue
		}
		if len(s.unsent) > 0 {
			l.queue = append(l.queue, chunk{session.OpWrite, s.unsent})
			l.queued++
		}
		if s.shut {
			l.queue = append(l.queue, chunk{op: session.OpCloseWrite})
			l.queued++
		}
		p.x.forget(s)
		_ = unix.EpollCtl(p.x.ep, unix.EPOLL_CTL_DEL, s.fd, nil)
		conn, err := connOf(s.fd, s.peer)
		if err != nil {
			r.apply(r.m.Abort(time.Now(), session.OddLimit, fmt.Sprintf("no descriptor for the %s's leg: %v", l.side, err)))
			continue
		}
		l.conn = conn
	}
	for i := range r.legs {
		r.legs[i].sock, r.legs[i].writing = nil, false
	}
	p.moved, r.carrier = true, nil
	p.x.sessions.Add(-1)
	r.begin()
	go p.onward()
}

// onward is the rest of the session.
func (p *plain) onward() {
	r := p.r
	defer r.server.running.Done()
	defer r.server.leave(r)
	defer r.finish()
	var reading sync.WaitGroup
	reading.Go(func() { r.contain(r.readApp) })
	r.contain(func() { r.read(&r.legs[session.Upstream]) })
	reading.Wait()
}
