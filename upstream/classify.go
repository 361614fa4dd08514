package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"smtp-proxy/proxy/session"
)

// errno is one of the operating system's error numbers, by name and class.
type errno struct {
	number syscall.Errno
	name   string
	class  session.FaultClass
}

// Classify turns the error of a dial, a read, a write or a handshake on
// either leg into a fact. It returns nil for nil. TLS errors of a connection
// that already stood (an alert in answer to a client certificate, say) are
// told apart like those of a handshake.
func Classify(op string, err error) *session.Fault {
	if err == nil {
		return nil
	}
	f := &session.Fault{Op: op, Class: session.FaultOther, Text: plainText(err)}
	switch {
	case fromTLS(f, err):
	case fromErrno(f, err):
	case errors.Is(err, ErrLoop):
		f.Class = session.FaultLoop
	case errors.Is(err, context.Canceled), errors.Is(err, net.ErrClosed):
		f.Class = session.FaultLocal
	case isTimeout(err):
		f.Class = session.FaultTimeout
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe):
		f.Class = session.FaultClosed
	}
	return f
}

func fromErrno(f *session.Fault, err error) bool {
	var number syscall.Errno
	if !errors.As(err, &number) {
		return false
	}
	for _, e := range errnos() {
		if e.number == number {
			f.Class, f.Errno = e.class, e.name
			return true
		}
	}
	return false
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &timeout) && timeout.Timeout()
}

// plainText is the innermost wording of a network error: the addresses that
// net.OpError puts around it stand in the entry already. A deadline of the
// library's is in words that only programmers know.
func plainText(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil && !isAlertOp(op) {
		err = op.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	return err.Error()
}
