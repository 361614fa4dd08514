package upstream_test

import (
	"testing"

	"github.com/miekg/dns"
)

// TestLookupValidated believes the AD bit only for the whole chain of aliases.
func TestLookupValidated(t *testing.T) {
	d := newDNS(t)
	d.Add("_25._tcp.mail.example. 60 IN TLSA 3 1 1 00")
	d.CNAME("plain.example", "_25._tcp.mail.example")
	d.CNAME("signed.example", "_25._tcp.mail.example")
	d.Sign("_25._tcp.mail.example", "signed.example")
	d.PartialAliases()
	c := newConnector(t, options(t, d))
	for name, want := range map[string]bool{
		"_25._tcp.mail.example": true,
		"signed.example":        true,
		"plain.example":         false,
		"nowhere.example":       false,
	} {
		if r := c.LookupValidated(t.Context(), name, dns.TypeTLSA); r.Validated != want {
			t.Errorf("%s: validated %v with %v, want %v", name, r.Validated, r.List, want)
		}
		if r := c.Lookup(t.Context(), name, dns.TypeTLSA); r.Validated {
			t.Errorf("%s: validated, and nobody wanted to know", name)
		}
	}
}
