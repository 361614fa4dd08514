package probe

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// maxExchangers bounds how many mail exchangers of a domain are looked up.
const maxExchangers = 10

// mailRoute is where mail for a domain goes.
type mailRoute struct {
	domain   string
	hosts    []exchanger // by preference
	null     bool        // the domain declares that it takes no mail (RFC 7505)
	implicit bool        // there is no MX, and the domain's own address stands in (RFC 5321, section 5.1)
	fault    *session.Fault
}

// exchanger is one mail exchanger of a domain.
type exchanger struct {
	name       string
	preference uint16
	addrs      []netip.Addr
	alias      string         // the name at the end of its aliases, which it must not have (RFC 5321, section 5.1)
	literal    bool           // an address stands where a name is due
	fault      *session.Fault // why it has no address
}

// The results of an exchanger, as they stand in [session.Found].
func (h exchanger) result() string {
	switch {
	case h.literal:
		return "address"
	case len(h.addrs) == 0:
		return "no-address"
	case h.alias != "":
		return "alias"
	}
	return resultOK
}

// routeOf asks for the mail exchangers of a domain, and for their addresses.
func routeOf(ctx context.Context, c *upstream.Connector, domain string) mailRoute {
	r := mailRoute{domain: domain}
	records := c.Lookup(ctx, domain, dns.TypeMX)
	r.fault = records.Fault
	for _, rr := range records.List {
		mx := rr.(*dns.MX)
		r.hosts = append(r.hosts, exchanger{name: strings.ToLower(strings.TrimSuffix(mx.Mx, ".")), preference: mx.Preference})
	}
	slices.SortStableFunc(r.hosts, func(a, b exchanger) int { return int(a.preference) - int(b.preference) })
	switch {
	case len(r.hosts) == 1 && r.hosts[0].name == "":
		r.hosts, r.null = nil, true
	case len(r.hosts) == 0 && r.fault != nil && r.fault.Class == session.FaultNoSuchHost && records.Lookup.Rcode == "NOERROR":
		r.implicit = true
		r.hosts = []exchanger{{name: domain}}
	}
	r.hosts = r.hosts[:min(len(r.hosts), maxExchangers)]
	r.lookUp(ctx, c)
	return r
}

// lookUp asks for the addresses of all exchangers side by side. The domain's
// own address stands in for them only if it has one.
func (r *mailRoute) lookUp(ctx context.Context, c *upstream.Connector) {
	var asking sync.WaitGroup
	for i := range r.hosts {
		asking.Go(func() { r.hosts[i].lookUp(ctx, c) })
	}
	asking.Wait()
	if r.implicit && len(r.hosts[0].addrs) == 0 {
		r.hosts, r.implicit = nil, false
	}
}

func (h *exchanger) lookUp(ctx context.Context, c *upstream.Connector) {
	if _, err := netip.ParseAddr(h.name); err == nil || h.name == "" {
		h.literal = true
		return
	}
	for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		records := c.Lookup(ctx, h.name, qtype)
		if chain := records.Lookup.CNAME; len(chain) > 0 {
			h.alias = chain[len(chain)-1]
		}
		if h.fault == nil || h.fault.Class == session.FaultNoSuchHost {
			h.fault = records.Fault
		}
		for _, rr := range records.List {
			if addr, ok := addrOfRecord(rr); ok && !addr.IsUnspecified() {
				h.addrs = append(h.addrs, addr)
			}
		}
	}
}

// missing reports that the DNS denies the addresses of a host, rather than
// fails to tell.
func (h exchanger) missing() bool {
	return h.literal || len(h.addrs) == 0 && h.fault != nil && h.fault.Class == session.FaultNoSuchHost
}

// cause is why mail for the domain cannot arrive; empty where it can, or where
// that could not be found out.
func (r mailRoute) cause() string {
	switch {
	case r.null:
		return "recipient.domain-accepts-no-mail"
	case len(r.hosts) == 0 && r.fault != nil && r.fault.Class == session.FaultNoSuchHost:
		return "recipient.domain-not-found"
	case len(r.hosts) > 0 && !slices.ContainsFunc(r.hosts, func(h exchanger) bool { return !h.missing() }):
		return "recipient.domain-not-found"
	}
	return ""
}
