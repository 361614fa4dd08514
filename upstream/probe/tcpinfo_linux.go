package probe

import (
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"smtp-proxy/upstream"
)

// pathOf asks the kernel (TCP_INFO) what is known so far.
func pathOf(conn net.Conn) (found path) {
	sc, ok := upstream.Unwrap(conn).(syscall.Conn)
	if !ok {
		return path{}
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return path{}
	}
	_ = raw.Control(func(fd uintptr) { // closed meanwhile: nothing to be known
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			found = path{
				rtt:     time.Duration(info.Rtt) * time.Microsecond,
				mtu:     int(info.Pmtu),
				segment: int(info.Snd_mss),
				unacked: int(info.Unacked),
				resent:  int(info.Total_retrans),
			}
		}
	})
	return found
}
