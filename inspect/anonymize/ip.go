package anonymize

import (
	"fmt"
	"net/netip"
	"strings"
)

// ip replaces an address by one of the ranges that are for documentation (RFC
// 5737, RFC 3849). Those that every machine has of its own stay.
func (a *Anonymizer) ip(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	switch {
	case ip.IsLoopback() || ip.IsUnspecified() || ip.IsMulticast():
		return ip
	case ip.Is4():
		return documentation(a.number(ip))
	}
	s := a.stream("ip", ip.String(), 0)
	out := [16]byte{0x20, 0x01, 0x0d, 0xb8}
	for i := 8; i < 16; i++ {
		out[i] = byte(s.n(256))
	}
	return netip.AddrFrom16(out)
}

// addresses is how many the three ranges have, less the first and last of each.
const addresses = 3 * 254

// number finds an address of its own for another one, as long as there are any.
func (a *Anonymizer) number(ip netip.Addr) uint32 {
	if n, ok := a.v4[ip]; ok {
		return n
	}
	n := uint32(a.stream("ip", ip.String(), 0).n(addresses))
	for range addresses {
		if !a.usedV4[n] {
			break
		}
		n = (n + 1) % addresses
	}
	if len(a.v4) < mostTaken {
		a.v4[ip], a.usedV4[n] = n, true
	}
	return n
}

func documentation(n uint32) netip.Addr {
	nets := [...][3]byte{{192, 0, 2}, {198, 51, 100}, {203, 0, 113}}
	net := nets[n/254]
	return netip.AddrFrom4([4]byte{net[0], net[1], net[2], byte(n%254 + 1)})
}

// ipText replaces an address that was written down; what is none is a name.
func (a *Anonymizer) ipText(text string) string {
	if ip, err := netip.ParseAddr(text); err == nil {
		return a.ip(ip).String()
	}
	return a.name(text)
}

// reverse replaces an address that is written as DNS blocklists want it.
func (a *Anonymizer) reverse(quads string) string {
	q := strings.Split(quads, ".")
	ip, err := netip.ParseAddr(fmt.Sprintf("%s.%s.%s.%s", q[3], q[2], q[1], q[0]))
	if err != nil {
		return a.name(quads)
	}
	b := a.ip(ip).As4()
	return fmt.Sprintf("%d.%d.%d.%d", b[3], b[2], b[1], b[0])
}
