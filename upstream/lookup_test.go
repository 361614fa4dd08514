package upstream_test

import (
	"slices"
	"testing"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

func TestLookup(t *testing.T) {
	server, err := testenv.NewDNS()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	server.MX("example.test", "10 a.example.test.", "20 b.example.test.")
	server.TXT("example.test", "v=spf1 -all")
	server.CNAME("alias.test", "example.test")
	c, err := upstream.New(upstream.Options{Resolver: server.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Resolvers(); !slices.Equal(got, []string{server.Addr()}) {
		t.Errorf("resolvers %v, want the one given, %s", got, server.Addr())
	}
	for _, x := range []struct {
		name  string
		qtype uint16
		want  []string
		class session.FaultClass
	}{
		{"example.test", dns.TypeMX, []string{"10 a.example.test.", "20 b.example.test."}, ""},
		{"alias.test", dns.TypeTXT, []string{`"v=spf1 -all"`}, ""},
		{"example.test", dns.TypeTLSA, nil, session.FaultNoSuchHost},
		{"nowhere.test", dns.TypeMX, nil, session.FaultNoSuchHost},
	} {
		r := c.Lookup(t.Context(), x.name, x.qtype)
		class := session.FaultClass("")
		if r.Fault != nil {
			class = r.Fault.Class
		}
		if !slices.Equal(r.Lookup.Answers, x.want) || len(r.List) != len(x.want) || class != x.class {
			t.Errorf("%s %s: %q with fault %q, want %q and %q", x.name, dns.TypeToString[x.qtype], r.Lookup.Answers, class, x.want, x.class)
		}
	}
	server.Trouble("broken.test", testenv.Servfail)
	if r := c.Lookup(t.Context(), "broken.test", dns.TypeMX); r.Fault == nil || r.Fault.Class != session.FaultDNS {
		t.Errorf("SERVFAIL: fault %+v, want one of class %s", r.Fault, session.FaultDNS)
	}
}
