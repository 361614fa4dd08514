package probe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// maxSPFQuestions bounds what one evaluation may ask: ten terms, ten names for
// each, and what lies beyond the limit that is to be measured.
const maxSPFQuestions = 150

// spfZone answers the questions of an SPF evaluation from the resolver that
// everything else here is asked of, each once. A record may be replaced by
// another: that is how the term is found that decides. It is used by one
// goroutine.
type spfZone struct {
	connector *upstream.Connector
	six       bool              // the address in question is of IPv6
	instead   map[string]string // domain -> the record that stands for its own

	answers map[dns.Question]upstream.Records
	asked   int
	fault   *session.Fault // the first trouble of the resolver
}

func newSPFZone(c *upstream.Connector) *spfZone {
	return &spfZone{connector: c, instead: map[string]string{}, answers: map[dns.Question]upstream.Records{}}
}

var errSPFQuestions = errors.New("it leads to more questions than one may ask the DNS")

// LookupTXT returns the text records of a name.
func (z *spfZone) LookupTXT(ctx context.Context, name string) ([]string, error) {
	if record, ok := z.instead[spfName(name)]; ok {
		return []string{record}, nil
	}
	r, err := z.ask(ctx, name, dns.TypeTXT)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, rr := range r.List {
		list = append(list, textOf(rr))
	}
	return list, nil
}

// LookupMX returns the mail exchangers of a name.
func (z *spfZone) LookupMX(ctx context.Context, name string) (list []*net.MX, err error) {
	r, err := z.ask(ctx, name, dns.TypeMX)
	for _, rr := range r.List {
		mx := rr.(*dns.MX)
		list = append(list, &net.MX{Host: mx.Mx, Pref: mx.Preference})
	}
	return list, err
}

// LookupIPAddr returns the addresses of a host in the family that matters (RFC
// 7208, section 5). The term "exists" asks for A whatever the family (section
// 5.7), and is not to be told from others here, so that is asked second.
func (z *spfZone) LookupIPAddr(ctx context.Context, host string) (list []net.IPAddr, err error) {
	qtypes := []uint16{dns.TypeA}
	if z.six {
		qtypes = []uint16{dns.TypeAAAA, dns.TypeA}
	}
	for _, qtype := range qtypes {
		var r upstream.Records
		if r, err = z.ask(ctx, host, qtype); err != nil && !absent(err) {
			return nil, err
		}
		for _, rr := range r.List {
			if addr, ok := addrOfRecord(rr); ok {
				list = append(list, net.IPAddr{IP: addr.AsSlice()})
			}
		}
		if len(list) > 0 {
			return list, nil
		}
	}
	return nil, err
}

// LookupAddr returns the names of an address.
func (z *spfZone) LookupAddr(ctx context.Context, addr string) (names []string, err error) {
	reverse, err := dns.ReverseAddr(addr)
	if err != nil {
		return nil, &net.DNSError{Err: err.Error(), Name: addr, IsNotFound: true}
	}
	r, err := z.ask(ctx, reverse, dns.TypePTR)
	for _, rr := range r.List {
		names = append(names, rr.(*dns.PTR).Ptr)
	}
	return names, err
}

// ask puts a question, or recalls its answer. What the library makes of an
// error hangs on its kind.
func (z *spfZone) ask(ctx context.Context, name string, qtype uint16) (upstream.Records, error) {
	q := dns.Question{Name: spfName(name), Qtype: qtype}
	if _, ok := dns.IsDomainName(q.Name); !ok || !plain(q.Name) || q.Name == "" || strings.Contains(q.Name, "..") {
		return upstream.Records{}, &net.DNSError{Err: "no name that the DNS could have", Name: name, IsNotFound: true}
	}
	r, known := z.answers[q]
	if !known {
		if z.asked++; z.asked > maxSPFQuestions {
			return upstream.Records{}, errSPFQuestions
		}
		r = z.connector.Lookup(ctx, q.Name, qtype)
		z.answers[q] = r
	}
	switch {
	case r.Fault == nil:
		return r, nil
	case r.Fault.Class == session.FaultNoSuchHost:
		return r, &net.DNSError{Err: r.Fault.Text, Name: name, IsNotFound: true}
	}
	if z.fault == nil {
		z.fault = r.Fault
	}
	return r, &net.DNSError{Err: r.Fault.Text, Name: name, IsTemporary: true}
}

func spfName(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

func absent(err error) bool {
	e := (*net.DNSError)(nil)
	return errors.As(err, &e) && e.IsNotFound
}

// records returns the SPF records of a domain as they are published.
func (z *spfZone) records(ctx context.Context, domain string) (list []string) {
	r, err := z.ask(ctx, domain, dns.TypeTXT)
	if err != nil {
		return nil
	}
	for _, rr := range r.List {
		if text := textOf(rr); isSPF(text) {
			list = append(list, text)
		}
	}
	return list
}

// isSPF reports whether a text is an SPF record (RFC 7208, section 4.5).
func isSPF(text string) bool {
	version, _, _ := strings.Cut(text, " ")
	return strings.EqualFold(version, "v=spf1")
}

// spfTerms returns the terms of a record in the order in which they are heeded:
// redirect comes last wherever it stands (RFC 7208, section 6.1).
func spfTerms(record string) (terms []string) {
	var last []string
	for _, term := range strings.Fields(record) {
		switch {
		case isSPF(term):
		case strings.HasPrefix(strings.ToLower(term), "redirect="):
			last = append(last, term)
		default:
			terms = append(terms, term)
		}
	}
	return append(terms, last...)
}

// spfLeads returns the domain that an include or a redirect leads to; empty for
// other terms, and where only macros would tell.
func spfLeads(term string) string {
	lower := strings.ToLower(strings.TrimLeft(term, "+-~?"))
	for _, prefix := range []string{"include:", "redirect="} {
		if domain, ok := strings.CutPrefix(lower, prefix); ok && !strings.Contains(domain, "%") {
			return spfName(domain)
		}
	}
	return ""
}

// spfNetwork returns the network that a term names; the zero Prefix for terms
// that name none.
func spfNetwork(term string) netip.Prefix {
	kind, network, _ := strings.Cut(strings.ToLower(strings.TrimPrefix(term, "+")), ":")
	if kind != "ip4" && kind != "ip6" {
		return netip.Prefix{}
	}
	if p, err := netip.ParsePrefix(network); err == nil {
		return p.Masked()
	}
	if a, err := netip.ParseAddr(network); err == nil {
		return netip.PrefixFrom(a, a.BitLen())
	}
	return netip.Prefix{}
}
