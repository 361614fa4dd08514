package probe

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// heldTo has a connection announce, and keep to, segments of so many octets
// (TCP_MAXSEG, which must be set ahead of the SYN).
func heldTo(octets int) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			failed = os.NewSyscallError("setsockopt TCP_MAXSEG", unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, octets))
		})
		if err != nil {
			return err
		}
		return failed
	}
}
