//go:build !linux

package proxy

// reactor is for Linux; elsewhere every session has goroutines of its own.
type reactor struct{}

// socket is a leg in a reactor.
type socket struct{}

func (s *Server) shareListeners() {}

func (s *Server) startReactors() {}

func (s *Server) closeDoors() {}

func (s *Server) endReactors() {}
