package probe

import (
	"context"
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
	addr  netip.Addr
	state string
	names []string // the one that is confirmed first
	why   string   // it is generic, unknown or not there
	took  time.Duration
}

// nameOf looks for the name of an address and follows it back (RFC 8601,
// section 2.7.3, "iprev").
func nameOf(ctx context.Context, c *upstream.Connector, addr netip.Addr) (n naming) {
	began := time.Now()
	n.addr = addr.WithZone("")
	defer func() { n.took = time.Since(began) }()
	reverse, err := dns.ReverseAddr(n.addr.String())
	if err != nil {
		n.state, n.why = nameUnknown, err.Error()
		return n
	}
	r := c.Lookup(ctx, reverse, dns.TypePTR)
	for _, rr := range r.List[:min(len(r.List), maxNames)] {
		n.names = append(n.names, strings.ToLower(strings.TrimSuffix(rr.(*dns.PTR).Ptr, ".")))
	}
	if len(n.names) > 0 {
		n.confirm(ctx, c)
		return n
	}
	n.state = nameNone
	if r.Fault != nil {
		n.why = r.Fault.Text
		if r.Fault.Class != session.FaultNoSuchHost {
			n.state = nameUnknown
		}
	}
	return n
}

// confirm asks for the addresses of the names. That none leads back is known
// only when all of them were answered.
func (n *naming) confirm(ctx context.Context, c *upstream.Connector) {
	n.state = nameUnconfirmed
	for i, name := range n.names {
		addrs, fault := addressesLike(ctx, c, name, n.addr)
		if slices.Contains(addrs, n.addr) {
			n.names = append([]string{name}, slices.Delete(slices.Clone(n.names), i, i+1)...)
			n.state = nameConfirmed
			if n.why = generic(name, n.addr); n.why != "" {
				n.state = nameGeneric
			}
			return
		}
		if fault != nil && fault.Class != session.FaultNoSuchHost {
			n.state, n.why = nameUnknown, fmt.Sprintf("whether %s leads back to it has no answer: %s", name, fault.Text)
		}
	}
}

// leadsBack reports whether a name of the address is confirmed.
func (n *naming) leadsBack() bool { return n.state == nameConfirmed || n.state == nameGeneric }

// addressesLike asks the DNS for the addresses of a name in the family of like.
func addressesLike(ctx context.Context, c *upstream.Connector, name string, like netip.Addr) (addrs []netip.Addr, fault *session.Fault) {
	qtype := dns.TypeA
	if like.Is6() {
		qtype = dns.TypeAAAA
	}
	r := c.Lookup(ctx, name, qtype)
	for _, rr := range r.List {
		if addr, ok := addrOfRecord(rr); ok {
			addrs = append(addrs, addr)
		}
	}
	return addrs, r.Fault
}

func addrOfRecord(rr dns.RR) (netip.Addr, bool) {
	var raw []byte
	switch r := rr.(type) {
	case *dns.A:
		raw = r.A.To4()
	case *dns.AAAA:
		raw = r.AAAA.To16()
	}
	addr, ok := netip.AddrFromSlice(raw)
	return addr.Unmap(), ok
}
