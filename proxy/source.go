package proxy

import (
	"net"
	"sync"
)

// readSize is what one read may bring.
const readSize = 32 << 10

// buffers are lent to a direction from the moment there is something to read
// until it has been written, so that an idle session holds none.
var buffers = sync.Pool{New: func() any { return new([readSize]byte) }}

// source reads one side of a session.
type source struct {
	lent  *[readSize]byte
	small []byte // for connections that cannot tell when there is something to read
	wait  readiness
}

func newSource() *source { return new(source) }

// read returns what has come. It is valid until release.
func (s *source) read(conn net.Conn) ([]byte, error) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		return s.readReady(tcp)
	}
	if s.small == nil {
		s.small = make([]byte, 4<<10)
	}
	n, err := conn.Read(s.small)
	b := s.small[:n]
	if n == len(s.small) && n < readSize {
		s.small = make([]byte, readSize) // bulk: b keeps the old one until it is written
	}
	return b, err
}

// release takes the buffer of the last read back.
func (s *source) release() {
	if s.lent != nil {
		buffers.Put(s.lent)
		s.lent = nil
	}
}
