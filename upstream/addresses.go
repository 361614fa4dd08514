package upstream

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
)

// Resolution is the answer to one question about the addresses of a host.
type Resolution struct {
	Lookup session.Lookup
	Addrs  []netip.Addr
	TTL    time.Duration  // the shortest on the way to the addresses; 0 where it is not told
	Fault  *session.Fault // why there are none: of class no-such-host when that is certain
	Text   string         // in one line
}

// Addresses looks a host up as a session does: in the hosts file first, then
// in what is remembered, then in the DNS with the search list. It returns the
// answers for the first name with an address, or those for the first name
// asked; the A question's comes before the AAAA question's.
func (c *Connector) Addresses(ctx context.Context, host string) []Resolution {
	answers := make(chan answer)
	go c.resolver.stream(ctx, host, answers)
	var all []answer
	for a := range answers { // the resolver writes until it has seen the end of ctx
		all = append(all, a)
	}
	return resolutions(all)
}

// AddressesAt is Addresses as it would end if a server (ip:port, see
// [Connector.Resolvers]) were the only one, and neither a hosts file nor a
// memory were at hand.
func (c *Connector) AddressesAt(ctx context.Context, server, host string) []Resolution {
	ctx, cancel := context.WithTimeout(ctx, c.resolver.timeout)
	defer cancel()
	via := newNameservers([]string{server}, tryTimeout, tries, c.resolver.timeout)
	_, names := c.resolver.plan(host)
	var all []answer
	for _, name := range names {
		answers, found := askBoth(ctx, via, name, make(chan answer, 2))
		all = append(all, answers...)
		if found || ctx.Err() != nil {
			break
		}
	}
	return resolutions(all)
}

// Local answers for a host that is known without the DNS: it stands in the
// hosts file, or is localhost.
func (c *Connector) Local(host string) (Resolution, bool) {
	a, ok := c.resolver.local(host)
	return a.resolution(), ok
}

// resolutions keeps the answers about one name.
func resolutions(all []answer) (list []Resolution) {
	if len(all) == 0 {
		return nil
	}
	name := all[0].lookup.Name
	if i := slices.IndexFunc(all, func(a answer) bool { return len(a.addrs) > 0 }); i >= 0 {
		name = all[i].lookup.Name
	}
	for _, a := range all {
		if a.lookup.Name == name {
			list = append(list, a.resolution())
		}
	}
	slices.SortStableFunc(list, func(a, b Resolution) int { return strings.Compare(a.Lookup.Type, b.Lookup.Type) })
	return list
}

func (a answer) resolution() Resolution {
	r := Resolution{Lookup: a.lookup, Addrs: a.addrs, Fault: a.fault, Text: a.text}
	if len(a.addrs) > 0 {
		r.TTL = a.ttl
	}
	return r
}
