package probe

import "net/netip"

// addressKind is what an address is, where it is not that of some host on the
// internet; words are empty for those.
type addressKind struct {
	words  string
	odd    bool // no smarthost can be meant
	beside bool // it stands beside public addresses as a matter of course
}

// kindOf goes by the registries of special-purpose addresses (RFC 6890) and by
// what is met in answers of resolvers.
func kindOf(addr netip.Addr) addressKind {
	for _, k := range addressKinds() {
		if k.prefix.Contains(addr.Unmap().WithZone("")) {
			return k.addressKind
		}
	}
	return addressKind{}
}

type kindOfPrefix struct {
	prefix netip.Prefix
	addressKind
}

func addressKinds() []kindOfPrefix {
	const (
		documentation = "an address for examples in documents: nobody has it, the record was copied from one"
		private       = "a private address (RFC 1918): it is reached from inside its own network only"
		blocked       = "no address at all: a resolver that blocks the name answers so"
	)
	of := func(prefix, words string, odd bool) kindOfPrefix {
		return kindOfPrefix{netip.MustParsePrefix(prefix), addressKind{words: words, odd: odd}}
	}
	return []kindOfPrefix{
		of("0.0.0.0/8", blocked, true),
		of("::/128", blocked, true),
		of("127.0.0.0/8", "this machine itself (loopback)", false),
		of("::1/128", "this machine itself (loopback)", false),
		of("10.0.0.0/8", private, false),
		of("172.16.0.0/12", private, false),
		of("192.168.0.0/16", private, false),
		of("fc00::/7", "a private address (unique local, RFC 4193): it is reached from inside its own network only", false),
		of("100.64.0.0/10", "an address of a provider's own network (carrier-grade NAT, RFC 6598): it is reached from inside that, or a VPN, only", false),
		of("169.254.0.0/16", "a link-local address: it is reached from the same cable only, and often stands for missing DHCP", true),
		of("fe80::/10", "a link-local address: it is reached from the same cable only", true),
		of("192.0.2.0/24", documentation+" (RFC 5737)", true),
		of("198.51.100.0/24", documentation+" (RFC 5737)", true),
		of("203.0.113.0/24", documentation+" (RFC 5737)", true),
		of("2001:db8::/32", documentation+" (RFC 3849)", true),
		of("3fff::/20", documentation+" (RFC 9637)", true),
		of("198.18.0.0/15", "an address for measurements (RFC 2544): VPN and proxy programs give such ones out instead of the true address", true),
		of("224.0.0.0/4", "a multicast address, which takes no connections", true),
		of("ff00::/8", "a multicast address, which takes no connections", true),
		of("240.0.0.0/4", "a reserved address (RFC 1112), which takes no connections", true),
		{netip.MustParsePrefix("64:ff9b::/96"), addressKind{
			words: "an IPv4 address behind NAT64 (RFC 6052): a resolver makes it up for networks that have IPv6 only", beside: true,
		}},
	}
}
