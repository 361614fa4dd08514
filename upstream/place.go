package upstream

import (
	"fmt"
	"net/netip"
)

// place is what kind of network an address belongs to.
type place string

// The places. Only public ones are asked for certificates at a stranger's
// word, and those that the smarthost itself is in.
const (
	placePublic   place = "public"
	placeLoopback place = "loopback"
	placePrivate  place = "private"
	placeLink     place = "link-local"
	placeCarrier  place = "carrier-grade NAT"
	placeReserved place = "reserved" // unspecified, multicast, documentation, and forms that hide another address
)

// askable says why an address may not be asked for a certificate, when the
// smarthost whose chain lacks it is at near.
func askable(addr, near netip.Addr) error {
	addr, near = unfold(addr), unfold(near)
	where := placeOf(addr)
	switch {
	case where == placePublic:
		return nil
	case where == placeReserved:
		return fmt.Errorf("%s is a %s address", addr, where)
	case where == placeLink && addr != near:
		// The addresses of a cloud's metadata services are among these.
	case where == placeOf(near) && addr.Is4() == near.Is4():
		return nil
	}
	return fmt.Errorf("%s is a %s address, which is asked only when the smarthost is there too", addr, where)
}

// placeOf sorts an address.
func placeOf(addr netip.Addr) place {
	addr = unfold(addr)
	for _, r := range ranges() {
		if r.prefix.Contains(addr.WithZone("")) {
			return r.place
		}
	}
	if !addr.IsValid() {
		return placeReserved
	}
	return placePublic
}

// unfold returns the IPv4 address that an IPv6 one stands for: mapped (RFC
// 4291, section 2.5.5.2), translated by NAT64 (RFC 6052), or 6to4 (RFC 3056).
func unfold(addr netip.Addr) netip.Addr {
	addr = addr.Unmap()
	if !addr.Is6() {
		return addr
	}
	b := addr.As16()
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(addr):
		return netip.AddrFrom4([4]byte(b[12:]))
	case netip.MustParsePrefix("2002::/16").Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return addr
}

type addressRange struct {
	prefix netip.Prefix
	place  place
}

// ranges are those of the special-purpose address registries of IANA (RFC
// 6890) that are not public; the first match counts.
func ranges() []addressRange {
	var list []addressRange
	for _, of := range []struct {
		place    place
		prefixes []string
	}{
		{placeLoopback, []string{"127.0.0.0/8", "::1/128"}},
		{placePrivate, []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"}},
		{placeLink, []string{"169.254.0.0/16", "fe80::/10"}},
		{placeCarrier, []string{"100.64.0.0/10"}},
		{placeReserved, []string{
			"0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
			"::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32", "3fff::/20", "ff00::/8",
		}},
	} {
		for _, prefix := range of.prefixes {
			list = append(list, addressRange{netip.MustParsePrefix(prefix), of.place})
		}
	}
	return list
}
