package probe

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// maxNames bounds how many names of one address are followed.
const maxNames = 5

// The states of an address's name.
const (
	nameConfirmed   = "confirmed"   // a name of the address leads back to it
	nameUnconfirmed = "unconfirmed" // it has names, none of which leads back
	nameGeneric     = "generic"     // confirmed, and made up from the address by the provider
	nameNone        = "none"        // no PTR record
	nameUnknown     = "unknown"     // the resolver did not say
)

// naming is what the DNS says of an address's name.
type naming struct {
	state string
	names []string
	why   string // it is generic, or unknown
	took  time.Duration
}

// nameOf looks for the name of an address and follows it back (RFC 8601,
// section 2.7.3, "iprev").
func nameOf(ctx context.Context, c *upstream.Connector, addr netip.Addr) (n naming) {
	began := time.Now()
	defer func() { n.took = time.Since(began) }()
	reverse, err := dns.ReverseAddr(addr.String())
	if err != nil {
		return naming{state: nameUnknown, why: err.Error()}
	}
	r := c.Lookup(ctx, reverse, dns.TypePTR)
	for _, rr := range r.List {
		if ptr, ok := rr.(*dns.PTR); ok && len(n.names) < maxNames {
			n.names = append(n.names, strings.ToLower(strings.TrimSuffix(ptr.Ptr, ".")))
		}
	}
	switch {
	case len(n.names) > 0:
		n.confirm(ctx, c, addr)
	case r.Fault != nil && r.Fault.Class != session.FaultNoSuchHost:
		n.state, n.why = nameUnknown, r.Fault.Text
	default:
		n.state = nameNone
	}
	return n
}

// confirm asks for the addresses of the names.
func (n *naming) confirm(ctx context.Context, c *upstream.Connector, addr netip.Addr) {
	n.state = nameUnconfirmed
	for i, name := range n.names {
		if !slices.Contains(addressesLike(ctx, c, name, addr), addr) {
			continue
		}
		n.names = append([]string{name}, slices.Delete(slices.Clone(n.names), i, i+1)...)
		n.state = nameConfirmed
		if n.why = generic(name, addr); n.why != "" {
			n.state = nameGeneric
		}
		return
	}
}

// generic says why a name looks like one that a provider gives to a line, and
// not like that of a mail server; empty when it does not.
func generic(name string, addr netip.Addr) string {
	if hasOctets(name, addr) {
		return "it is made from the address"
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == '-' || r == '_' || r >= '0' && r <= '9' })
	for _, word := range []string{"dynamic", "dyn", "dynip", "dhcp", "dsl", "adsl", "vdsl", "xdsl", "cable", "pool", "pools", "dialup", "dial", "dip", "ppp", "pppoe", "broadband", "cust", "customer", "customers", "catv", "ftth", "fiber", "residential", "wireless", "mobile"} {
		if slices.Contains(words, word) {
			return fmt.Sprintf("it has %q in it", word)
		}
	}
	return ""
}

// hasOctets reports whether a name holds the address: three of its octets in a
// row, forwards or backwards, or all of it in hexadecimal.
func hasOctets(name string, addr netip.Addr) bool {
	if addr.Is6() {
		last := addr.As16()
		return strings.Contains(strings.ReplaceAll(name, "-", ""), hex.EncodeToString(last[12:])) && last[12]|last[13] != 0
	}
	octets := addr.As4()
	if strings.Contains(name, hex.EncodeToString(octets[:])) {
		return true
	}
	numbers := strings.FieldsFunc(name, func(r rune) bool { return r < '0' || r > '9' })
	for i, n := range numbers {
		numbers[i] = strings.TrimLeft(n, "0")
	}
	text := "." + strings.Join(numbers, ".") + "."
	o := [4]string{}
	for i, octet := range octets {
		o[i] = strings.TrimLeft(fmt.Sprint(octet), "0")
	}
	for _, run := range [][]string{o[:3], o[1:], {o[2], o[1], o[0]}, {o[3], o[2], o[1]}} {
		if strings.Contains(text, "."+strings.Join(run, ".")+".") {
			return true
		}
	}
	return false
}
