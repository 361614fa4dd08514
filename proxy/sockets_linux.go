package proxy

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// setKeepAlive has a socket notice a peer that has gone.
func setKeepAlive(fd int, k net.KeepAliveConfig) error {
	for _, o := range []struct{ level, name, value int }{
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, int(k.Idle / time.Second)},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, int(k.Interval / time.Second)},
		{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, k.Count},
	} {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return err
		}
	}
	return nil
}

// rawWrite writes once, without telling the scheduler.
func rawWrite(fd int, b []byte) (int, syscall.Errno) {
	return rawIO(unix.SYS_SENDTO, fd, b, unix.MSG_NOSIGNAL)
}

// rawWriteMore is rawWrite when the end of the direction follows at once.
func rawWriteMore(fd int, b []byte) (int, syscall.Errno) {
	return rawIO(unix.SYS_SENDTO, fd, b, unix.MSG_NOSIGNAL|unix.MSG_MORE)
}

// rawRead reads once.
func rawRead(fd int, b []byte) (int, syscall.Errno) { return rawIO(unix.SYS_RECVFROM, fd, b, 0) }

// rawIO makes one of the calls for sockets, which have a shorter way through
// the kernel than read(2) and write(2).
func rawIO(call uintptr, fd int, b []byte, flags uintptr) (int, syscall.Errno) {
	for {
		n, _, e := syscall.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), flags, 0, 0)
		switch e {
		case unix.EINTR:
			continue
		case 0:
			return int(n), 0
		}
		return 0, e
	}
}

// rawConnect begins to connect. EINPROGRESS is no error.
func rawConnect(fd int, to netip.AddrPort) syscall.Errno {
	var e syscall.Errno
	if to.Addr().Is4() {
		sa := unix.RawSockaddrInet4{Family: unix.AF_INET, Port: bigEndian(to.Port()), Addr: to.Addr().As4()}
		_, _, e = syscall.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&sa)), unix.SizeofSockaddrInet4)
	} else {
		sa := unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: bigEndian(to.Port()), Addr: to.Addr().As16()}
		_, _, e = syscall.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&sa)), unix.SizeofSockaddrInet6)
	}
	if e == unix.EINPROGRESS {
		return 0
	}
	return e
}

// localOf is a socket's own address.
func localOf(fd int) netip.AddrPort {
	var sa unix.RawSockaddrAny
	size := uint32(unix.SizeofSockaddrAny)
	_, _, e := syscall.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size)))
	if e != 0 {
		return netip.AddrPort{}
	}
	return addrPortOf(&sa)
}

func addrPortOf(sa *unix.RawSockaddrAny) netip.AddrPort {
	switch sa.Addr.Family {
	case unix.AF_INET:
		p := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		return netip.AddrPortFrom(netip.AddrFrom4(p.Addr), bigEndian(p.Port))
	case unix.AF_INET6:
		p := (*unix.RawSockaddrInet6)(unsafe.Pointer(sa))
		return netip.AddrPortFrom(netip.AddrFrom16(p.Addr).Unmap(), bigEndian(p.Port))
	}
	return netip.AddrPort{}
}

// bigEndian turns a port between the order of the wire and this machine's.
func bigEndian(port uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], port)
	return binary.NativeEndian.Uint16(b[:])
}

// appKeepAlive is what the runtime gives to accepted connections.
func appKeepAlive() net.KeepAliveConfig {
	return net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 9}
}
