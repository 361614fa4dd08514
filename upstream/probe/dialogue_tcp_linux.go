package probe

import (
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// tcpOf asks the kernel what it knows of the connection beneath conn: what
// tells a path that loses packets from a peer that is slow. It is nil for a
// connection that is closed.
func tcpOf(conn net.Conn) (tcp *session.TCP) {
	sc, ok := upstream.Unwrap(conn).(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	_ = raw.Control(func(fd uintptr) { // closed meanwhile: nothing to be known
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			tcp = tcpFacts(info)
		}
	})
	return tcp
}

// tcpFacts takes over what the relay records of a leg; times come in
// microseconds.
func tcpFacts(info *unix.TCPInfo) *session.TCP {
	return &session.TCP{
		RTT:         time.Duration(info.Rtt) * time.Microsecond,
		RTTVar:      time.Duration(info.Rttvar) * time.Microsecond,
		Retransmits: int(info.Total_retrans),
		Lost:        int(info.Lost),
		Unacked:     int(info.Unacked),
	}
}
