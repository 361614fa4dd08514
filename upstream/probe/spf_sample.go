package probe

import (
	"context"
	"net/netip"
)

// The bounds of looking for a provider's addresses.
const (
	maxSampled = 12 // records
	sampleSize = 2  // addresses
)

// sample returns addresses out of the first networks that a domain's record,
// and those that it includes, allow to send.
func (z *spfZone) sample(ctx context.Context, domain string) (addrs []netip.Addr) {
	stack, seen := []string{domain}, map[string]bool{}
	for len(stack) > 0 && len(seen) < maxSampled {
		next := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[next] {
			continue
		}
		seen[next] = true
		leads, networks := z.senders(ctx, next)
		for _, n := range networks {
			if addrs = append(addrs, n.Addr()); len(addrs) == sampleSize {
				return addrs
			}
		}
		for i := range leads { // the first is to be next
			stack = append(stack, leads[len(leads)-1-i])
		}
	}
	return addrs
}

// senders returns the domains that the record of a domain leads to, and the
// networks that it names.
func (z *spfZone) senders(ctx context.Context, domain string) (leads []string, networks []netip.Prefix) {
	for _, record := range z.records(ctx, domain) {
		for _, term := range spfTerms(record) {
			if n := spfNetwork(term); n.IsValid() && n.Addr().Is4() {
				networks = append(networks, n)
			}
			if to := spfLeads(term); to != "" && term[0] != '-' && term[0] != '~' {
				leads = append(leads, to)
			}
		}
	}
	return leads, networks
}
