package upstream

import (
	"context"
	"strings"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
)

// maxRecords bounds how many records of one answer are used.
const maxRecords = 256

// Records is the answer to one question about records of any type.
type Records struct {
	Lookup session.Lookup // with the records as zone files write them
	List   []dns.RR       // those of the type asked for, at the end of all aliases
	Fault  *session.Fault // why there are none: of class no-such-host when that is certain

	Validated bool // the resolver says that DNSSEC vouches for the answer; see LookupValidated
}

// Resolvers lists the DNS servers that are asked, as ip:port, in their order.
// It is empty where only the operating system knows them.
func (c *Connector) Resolvers() []string {
	if n, ok := c.resolver.nameservers(); ok {
		return n.servers
	}
	return nil
}

// Lookup asks for records of one type. It asks once per call: what a session
// learns of addresses is not remembered here, and the hosts file is not read.
func (c *Connector) Lookup(ctx context.Context, name string, qtype uint16) Records {
	n, ok := c.resolver.nameservers()
	if !ok {
		return noServers(name, qtype)
	}
	return c.records(ctx, n, name, qtype)
}

// records asks within the time that all questions about one name have: each
// alias that is followed is one more.
func (c *Connector) records(ctx context.Context, n *nameservers, name string, qtype uint16) Records {
	ctx, cancel := context.WithTimeout(ctx, c.resolver.timeout)
	defer cancel()
	return n.records(ctx, name, qtype)
}

func noServers(name string, qtype uint16) Records {
	return Records{
		Lookup: session.Lookup{Name: strings.TrimSuffix(name, "."), Type: dns.TypeToString[qtype]},
		Fault:  &session.Fault{Op: opLookup, Class: session.FaultDNS, Text: "no DNS server is known: name one with --resolver"},
	}
}

// nameservers are the servers in use, if they are known.
func (r *resolver) nameservers() (*nameservers, bool) {
	if n, ok := r.fixed.(*nameservers); ok {
		return n, true
	}
	via, _ := r.plan("localhost")
	n, ok := via.(*nameservers)
	return n, ok
}

// records asks as ask does, for any type.
func (n *nameservers) records(ctx context.Context, name string, qtype uint16) Records {
	var list []dns.RR
	validated := false
	a := n.question(ctx, dns.Fqdn(name), qtype, func(a *answer, reply *dns.Msg) {
		a.understand(reply, qtype)
		list, validated = recordsOf(reply, qtype), reply.AuthenticatedData
		a.lookup.Answers = nil
		for _, rr := range list {
			a.lookup.Answers = append(a.lookup.Answers, strings.TrimPrefix(rr.String(), rr.Header().String()))
		}
	})
	if len(list) > 0 {
		a.fault = nil
	}
	return Records{Lookup: a.lookup, List: list, Fault: a.fault, Validated: validated}
}

// recordsOf returns the records of a type at the end of the aliases.
func recordsOf(reply *dns.Msg, qtype uint16) (list []dns.RR) {
	owner := reply.Question[0].Name
	if chain, _, _ := follow(reply, qtype); len(chain) > 0 {
		owner = dns.Fqdn(chain[len(chain)-1])
	}
	for _, rr := range reply.Answer {
		if h := rr.Header(); h.Rrtype == qtype && strings.EqualFold(h.Name, owner) && len(list) < maxRecords {
			list = append(list, rr)
		}
	}
	return list
}
