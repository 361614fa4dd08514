//go:build unix

package proxy

import (
	"io"
	"net"
	"os"
	"syscall"
)

// readiness reads from a socket once it is readable.
type readiness struct {
	raw  syscall.RawConn
	try  func(fd uintptr) bool
	n    int
	fail error
}

// readReady borrows a buffer only when the socket has something for it.
func (s *source) readReady(conn *net.TCPConn) ([]byte, error) {
	w := &s.wait
	if w.raw == nil {
		raw, err := conn.SyscallConn()
		if err != nil {
			return nil, err
		}
		w.raw, w.try = raw, s.tryRead
	}
	if err := w.raw.Read(w.try); err != nil {
		return nil, err
	}
	switch {
	case w.fail != nil:
		return nil, os.NewSyscallError("read", w.fail)
	case w.n == 0:
		return nil, io.EOF
	}
	return s.lent[:w.n], nil
}

// tryRead returns false to wait until the socket is readable.
func (s *source) tryRead(fd uintptr) bool {
	s.lent = buffers.Get().(*[readSize]byte)
	for {
		n, err := syscall.Read(int(fd), s.lent[:])
		switch err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			s.release()
			return false
		case nil:
			s.wait.n, s.wait.fail = n, nil
			return true
		}
		s.wait.n, s.wait.fail = 0, err
		return true
	}
}
