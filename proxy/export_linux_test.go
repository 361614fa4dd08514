package proxy

import (
	"net"
	"slices"

	"golang.org/x/sys/unix"

	"smtp-proxy/proxy/session"
)

// RestDoors has every door meet a lack of descriptors, and returns once it has.
func RestDoors(s *Server) {
	for _, x := range s.reactors {
		rested := make(chan struct{})
		x.call(func() {
			for i := range x.doors {
				x.rest(&x.doors[i], unix.EMFILE)
			}
			close(rested)
		})
		<-rested
	}
}

// RuntimeListens reports whether the runtime still watches a listener that
// reactors serve.
func RuntimeListens(s *Server) bool {
	return slices.ContainsFunc(s.listeners, func(l listener) bool {
		raw, err := l.Listener.(*net.TCPListener).SyscallConn()
		return l.shared && err == nil && raw.Control(func(uintptr) {}) == nil
	})
}

// BreakDial has every session dial anew with a connector that is a bug.
func BreakDial(s *Server) {
	eachPlain(s, func(p *plain) {
		aimed := *p.r.route
		aimed.Connector = nil
		p.r.route = &aimed
		p.dialSlowly()
	})
}

// BreakJudge has every session judge a chain with a connector that is a bug.
func BreakJudge(s *Server) {
	eachPlain(s, func(p *plain) {
		aimed := *p.r.route
		aimed.Connector = nil
		p.r.route = &aimed
		p.r.unjudged = &session.Entry{TLS: &session.TLS{ServerName: "mx.example", Sent: [][]byte{{0}}}}
		p.r.judge()
	})
}

// BreakMachine takes every session its machine.
func BreakMachine(s *Server) {
	eachPlain(s, func(p *plain) {
		p.r.m = nil
		p.wake()
	})
}

// BreakTimer takes every session its machine when its time is up.
func BreakTimer(s *Server) {
	eachPlain(s, func(p *plain) {
		p.r.m = nil
		p.r.timer.Reset(0)
	})
}

func eachPlain(s *Server, f func(*plain)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for r := range s.sessions {
		r.mu.Lock()
		f(r.carrier.(*plain))
		r.mu.Unlock()
	}
}

// HoldReactors keeps every reactor from looking at anything until release.
func HoldReactors(s *Server) (release func()) {
	held, hold := make(chan struct{}), make(chan struct{})
	for _, x := range s.reactors {
		x.call(func() {
			held <- struct{}{}
			<-hold
		})
		<-held
	}
	return func() { close(hold) }
}
