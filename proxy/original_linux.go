package proxy

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// soOriginalDst is SO_ORIGINAL_DST (linux/netfilter_ipv4.h) and, as it
// happens, IP6T_SO_ORIGINAL_DST (linux/netfilter_ipv6/ip6_tables.h).
const soOriginalDst = 80

// originalDestination is where the app's connection was going before the
// firewall redirected it. REDIRECT rewrites the address, and connection
// tracking remembers it; TPROXY leaves it on the socket. For a connection that
// nobody redirected it is the address of this end.
func originalDestination(conn net.Conn) netip.AddrPort {
	here := addrOf(conn.LocalAddr())
	onSocket(conn, func(fd int) {
		tracked, err := trackedV6(fd)
		if here.Addr().Is4() {
			tracked, err = trackedV4(fd)
		}
		if err == nil && tracked.IsValid() {
			here = tracked
		}
	})
	return here
}

// trackedV4 reads a sockaddr_in. The call that fetches one is not in the
// library; this one fetches 20 octets, of which the kernel fills 16.
func trackedV4(fd int) (netip.AddrPort, error) {
	raw, err := unix.GetsockoptIPv6Mreq(fd, unix.SOL_IP, soOriginalDst)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port := binary.BigEndian.Uint16(raw.Multiaddr[2:4])
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(raw.Multiaddr[4:8])), port), nil
}

// trackedV6 reads a sockaddr_in6, which is the beginning of what this call
// fetches.
func trackedV6(fd int) (netip.AddrPort, error) {
	raw, err := unix.GetsockoptIPv6MTUInfo(fd, unix.SOL_IPV6, soOriginalDst)
	if err != nil {
		return netip.AddrPort{}, err
	}
	addr := netip.AddrFrom16(raw.Addr.Addr).Unmap()
	if addr.IsLinkLocalUnicast() && raw.Addr.Scope_id != 0 {
		addr = addr.WithZone(strconv.Itoa(int(raw.Addr.Scope_id)))
	}
	var port [2]byte
	binary.NativeEndian.PutUint16(port[:], raw.Addr.Port) // in network order, in a field of the host's
	return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(port[:])), nil
}

// takeForeign lets a listener accept connections to addresses that are not
// this machine's, which is how TPROXY hands them over. It needs CAP_NET_ADMIN
// or CAP_NET_RAW; without, the listener is an ordinary one, which is all that
// REDIRECT needs.
func takeForeign(_, _ string, raw syscall.RawConn) error {
	return raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_TRANSPARENT, 1)
		_ = unix.SetsockoptInt(int(fd), unix.SOL_IPV6, unix.IPV6_TRANSPARENT, 1)
	})
}
