package upstream

import "context"

// LookupValidated is Lookup with the wish to hear whether the resolver has
// validated the answer by DNSSEC (the AD bit, RFC 6840, section 5.7). What it
// says is worth as much as the resolver and the way to it: no signature is
// checked here.
func (c *Connector) LookupValidated(ctx context.Context, name string, qtype uint16) Records {
	n, ok := c.resolver.nameservers()
	if !ok {
		return noServers(name, qtype)
	}
	asking := *n
	asking.wantsAD = true
	return c.records(ctx, &asking, name, qtype)
}
