package upstream

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
)

// maxAddrs bounds how many addresses of one answer are used and recorded; a
// reply over TCP has room for thousands.
const maxAddrs = 64

// maxAliases bounds how many aliases are followed, as resolvers do: more are a
// mistake or meant to keep somebody busy.
const maxAliases = 16

// understand takes the facts from a reply that says whether the name exists.
func (a *answer) understand(reply *dns.Msg, qtype uint16) {
	a.lookup.Rcode = rcodeName(reply.Rcode)
	chain, addrs, ttl := follow(reply, qtype)
	if len(addrs) > maxAddrs {
		addrs = addrs[:maxAddrs]
	}
	a.lookup.CNAME = chain
	a.lookup.Answers = addrStrings(addrs)
	a.addrs = slices.DeleteFunc(addrs, netip.Addr.IsUnspecified)
	a.ttl = ttl
}

// follow walks the aliases from the name asked for to the addresses at their
// end, and returns the smallest time to live on the way. It stops where they
// run in a circle.
func follow(reply *dns.Msg, qtype uint16) (chain []string, addrs []netip.Addr, ttl time.Duration) {
	name := reply.Question[0].Name
	seconds := ^uint32(0)
	for len(chain) < maxAliases {
		alias := aliasOf(reply.Answer, name)
		if alias == nil {
			break
		}
		name, seconds = alias.Target, min(seconds, alias.Hdr.Ttl)
		target := strings.ToLower(strings.TrimSuffix(name, "."))
		circle := slices.Contains(chain, target)
		chain = append(chain, target)
		if circle {
			break
		}
	}
	for _, rr := range reply.Answer {
		addr, ok := addrOf(rr, qtype)
		if ok && strings.EqualFold(rr.Header().Name, name) {
			addrs = append(addrs, addr)
			seconds = min(seconds, rr.Header().Ttl)
		}
	}
	return chain, addrs, time.Duration(seconds) * time.Second
}

func aliasOf(records []dns.RR, name string) *dns.CNAME {
	for _, rr := range records {
		if c, ok := rr.(*dns.CNAME); ok && strings.EqualFold(c.Hdr.Name, name) {
			return c
		}
	}
	return nil
}

func addrOf(rr dns.RR, qtype uint16) (netip.Addr, bool) {
	var raw []byte
	switch r := rr.(type) {
	case *dns.A:
		raw = r.A.To4()
	case *dns.AAAA:
		raw = r.AAAA.To16()
	}
	if rr.Header().Rrtype != qtype {
		return netip.Addr{}, false
	}
	addr, ok := netip.AddrFromSlice(raw)
	return addr.Unmap(), ok
}

// hasSOA reports whether the reply proves that there is nothing more: the
// zone's SOA comes with every true "no such record" (RFC 2308, section 2.2).
func hasSOA(reply *dns.Msg) bool {
	return slices.ContainsFunc(reply.Ns, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeSOA })
}

// conclude words the answer and says what is wrong with it, if anything.
func (a *answer) conclude(troubles []string) {
	l := &a.lookup
	question := fmt.Sprintf("%s %s", l.Name, l.Type)
	before := ""
	if len(troubles) > 0 {
		before = " (after " + strings.Join(troubles, "; ") + ")"
	}
	switch {
	case len(a.addrs) > 0:
		a.text = fmt.Sprintf("%s: %s%s, says %s%s", question, strings.Join(l.Answers, ", "), viaAliases(l.CNAME), l.Server, before)
	case len(l.Answers) > 0:
		a.miss(question, fmt.Sprintf("%s answers %s, which is no address: it blocks this name", l.Server, l.Answers[0]))
	case l.Rcode == "NXDOMAIN":
		a.miss(question, fmt.Sprintf("no such host%s (NXDOMAIN), says %s%s", viaAliases(l.CNAME), l.Server, before))
	case l.Rcode == "NOERROR":
		a.miss(question, fmt.Sprintf("no %s record%s, says %s%s", l.Type, viaAliases(l.CNAME), l.Server, before))
	default:
		text := "no answer"
		if len(troubles) > 0 {
			text = strings.Join(troubles, "; ")
		}
		a.fault = &session.Fault{Op: opLookup, Class: session.FaultDNS, Text: text}
		a.text = question + ": " + text
	}
}

func (a *answer) miss(question, text string) {
	a.fault = &session.Fault{Op: opLookup, Class: session.FaultNoSuchHost, Text: text}
	a.text = question + ": " + text
}

func viaAliases(chain []string) string {
	if len(chain) == 0 {
		return ""
	}
	return " (alias of " + strings.Join(chain, ", alias of ") + ")"
}

// settled reports whether the answer says all there is to say: an address, or
// that there is none.
func (a *answer) settled() bool {
	return a.fault == nil || a.fault.Class == session.FaultNoSuchHost
}
