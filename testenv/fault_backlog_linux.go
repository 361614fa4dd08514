package testenv

import (
	"errors"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"
)

// backlogFaults are ports that do not answer. Linux drops the SYN to a
// listener whose queue is full, which is what a firewall would do.
func backlogFaults() map[string]starter {
	return map[string]starter{"connect.timeout": fullBacklog}
}

// maxFill bounds how many connections are tried to fill a queue of length 0.
const maxFill = 16

func fullBacklog(f *Fault, o FaultOptions) error {
	addr, err := f.deafListener()
	if err != nil {
		return err
	}
	for range maxFill {
		c, err := net.DialTimeout("tcp", addr, 200*time.Millisecond)
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			f.Relay.ConnectTimeout = duration(time.Second)
			return f.name(o.host("mail.example.com"), addr)
		}
		if err != nil {
			return err
		}
		f.closers = append(f.closers, c.Close)
	}
	return errors.New("this system accepts more connections than it queues")
}

// deafListener listens with the shortest queue and never accepts; the net
// package would make the queue as long as the system allows.
func (f *Fault) deafListener() (string, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", os.NewSyscallError("socket", err)
	}
	f.closers = append(f.closers, func() error { return syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return "", os.NewSyscallError("bind", err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		return "", os.NewSyscallError("listen", err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		return "", os.NewSyscallError("getsockname", err)
	}
	port := bound.(*syscall.SockaddrInet4).Port
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), nil
}
