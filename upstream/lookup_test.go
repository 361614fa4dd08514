package upstream_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

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

// TestLookupIsBounded has a server that takes its time and answers with one
// alias after the other: the time is that of all questions together.
func TestLookupIsBounded(t *testing.T) {
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	server := &dns.Server{PacketConn: packets, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
		reply := new(dns.Msg).SetReply(query)
		reply.RecursionAvailable = true
		name := query.Question[0].Name
		reply.Answer = []dns.RR{&dns.CNAME{
			Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET}, Target: fmt.Sprintf("c%d.example.", asked.Add(1)),
		}}
		<-time.After(150 * time.Millisecond)
		_ = w.WriteMsg(reply) // who asked may have gone
	})}
	ended := make(chan error, 1)
	go func() { ended <- server.ActivateAndServe() }() // ends with the test
	t.Cleanup(func() { packets.Close(); <-ended })
	c := newConnector(t, upstream.Options{Resolver: packets.LocalAddr().String(), LookupTimeout: 400 * time.Millisecond})
	for way, look := range map[string]func(context.Context, string, uint16) upstream.Records{"plain": c.Lookup, "validated": c.LookupValidated} {
		asked.Store(0)
		r := look(t.Context(), "a.example", dns.TypeMX)
		if n := asked.Load(); r.Fault == nil || r.Fault.Class != session.FaultDNS || n > 4 {
			t.Errorf("%s: fault %+v after %d questions, want one of class %s after 4 at most", way, r.Fault, n, session.FaultDNS)
		}
	}
}
