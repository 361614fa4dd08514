package proxy

import (
	"net"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// tcpInfo asks the kernel what it knows of the connection beneath conn. It is
// nil for a connection that is closed or no TCP.
func tcpInfo(conn net.Conn) (tcp *session.TCP) {
	onSocket(conn, func(fd int) { tcp = tcpInfoOf(fd) })
	return tcp
}

// tcpInfo is the same of a leg's connection.
func (l *leg) tcpInfo() *session.TCP {
	switch {
	case l.sock == nil:
		return tcpInfo(l.conn)
	case l.sock.fd >= 0:
		return tcpInfoOf(l.sock.fd)
	}
	return nil
}

// tcpInfoOf makes the raw call, which leaves the kernel's answer on the stack:
// it is asked for at the end of every leg.
func tcpInfoOf(fd int) *session.TCP {
	var info unix.TCPInfo
	size := uint32(unix.SizeofTCPInfo)
	_, _, e := syscall.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.IPPROTO_TCP, unix.TCP_INFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if e != 0 {
		return nil
	}
	return factsOf(&info)
}

func (l *leg) onSocket(f func(fd int)) {
	switch {
	case l.sock == nil:
		onSocket(l.conn, f)
	case l.sock.fd >= 0:
		f(l.sock.fd)
	}
}

// onSocket calls f with the descriptor beneath conn, if there is one.
func onSocket(conn net.Conn, f func(fd int)) {
	if conn == nil {
		return
	}
	sc, ok := upstream.Unwrap(conn).(syscall.Conn)
	if !ok {
		return
	}
	if raw, err := sc.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { f(int(fd)) }) // closed meanwhile: nothing to be known
	}
}

// factsOf takes over the fields that tell a path that loses packets from a
// peer that is slow. The kernel counts time in microseconds.
func factsOf(info *unix.TCPInfo) *session.TCP {
	tcp := &session.TCP{
		RTT:         time.Duration(info.Rtt) * time.Microsecond,
		RTTVar:      time.Duration(info.Rttvar) * time.Microsecond,
		Retransmits: int(info.Total_retrans),
		Lost:        int(info.Lost),
		Unacked:     int(info.Unacked),
		State:       stateName(info.State),
	}
	if info.Min_rtt != ^uint32(0) { // not measured yet
		tcp.MinRTT = time.Duration(info.Min_rtt) * time.Microsecond
	}
	return tcp
}

// stateName is a state of RFC 9293, section 3.3.2, in the numbers of Linux.
func stateName(state uint8) string {
	names := [...]string{
		1: "established", 2: "syn-sent", 3: "syn-received", 4: "fin-wait-1", 5: "fin-wait-2",
		6: "time-wait", 7: stateClosed, 8: stateCloseWait, 9: "last-ack", 10: "listen", 11: "closing",
	}
	if int(state) >= len(names) {
		return ""
	}
	return names[state]
}

// brokenPipe reports whether a reset came behind the peer's own FIN: Linux
// then leaves EPIPE on the socket, and ECONNRESET for a reset without one.
func (l *leg) brokenPipe() (broken bool) {
	l.onSocket(func(fd int) {
		pending, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
		broken = err == nil && syscall.Errno(pending) == syscall.EPIPE
	})
	return broken
}
