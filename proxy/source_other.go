//go:build !unix

package proxy

import "net"

// readiness is not to be had here; reads wait with a buffer in hand.
type readiness struct{}

func (s *source) readReady(conn *net.TCPConn) ([]byte, error) {
	s.lent = buffers.Get().(*[readSize]byte)
	n, err := conn.Read(s.lent[:])
	return s.lent[:n], err
}
