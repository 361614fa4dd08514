package upstream_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// withConf is a machine whose resolv.conf says lines. Our own reading of it
// takes a port with a name server, as these are on free ports.
func withConf(t *testing.T, lines ...string) *upstream.Connector {
	t.Helper()
	return newConnector(t, upstream.Options{
		HostsFile:     file(t, "hosts", ""),
		ResolvConf:    file(t, "resolv.conf", strings.Join(lines, "\n")+"\n"),
		LookupTimeout: 500e6,
	})
}

// names asked in A questions, in the order of the record.
func (r reached) names() []string {
	var names []string
	for _, e := range r.entries {
		if e.Lookup != nil && e.Lookup.Type == "A" {
			names = append(names, e.Lookup.Name)
		}
	}
	return names
}

func TestSearchList(t *testing.T) {
	d := newDNS(t)
	d.A("relay.corp.example", "127.0.0.1")
	d.A("a.b", "127.0.0.1")
	port := listen(t, "127.0.0.1:0")
	tests := []struct {
		host, ndots string
		want        []string
	}{
		{"relay", "1", []string{"relay.dev.example", "relay.corp.example"}},
		{"relay.corp.example", "1", []string{"relay.corp.example"}},
		{"relay.corp.example", "5", []string{"relay.corp.example.dev.example", "relay.corp.example.corp.example", "relay.corp.example"}},
		{"a.b", "1", []string{"a.b"}},
	}
	for _, tt := range tests {
		c := withConf(t, "nameserver "+d.Addr(), "search dev.example corp.example", "options ndots:"+tt.ndots)
		r := connect(t, c, tt.host, port)
		if r.err != nil || !slices.Equal(r.names(), tt.want) {
			t.Errorf("%s with ndots %s: asked %q, error %v; want %q", tt.host, tt.ndots, r.names(), r.err, tt.want)
		}
		if errs := r.of(session.KindError); len(errs) > 0 {
			t.Errorf("%s with ndots %s: recorded %q; a miss on the way is no failure", tt.host, tt.ndots, r.texts())
		}
	}
}

func TestSearchListFails(t *testing.T) {
	d := newDNS(t)
	d.Trouble("smtp.gmial.com.dev.example", testenv.Servfail)
	d.Trouble("relay.dev.example", testenv.Servfail)
	c := withConf(t, "nameserver "+d.Addr(), "search dev.example")
	tests := []struct {
		host  string
		class session.FaultClass
		about []string // the names that recorded failures are about
	}{
		{"smtp.gmial.com", session.FaultNoSuchHost, []string{"smtp.gmial.com"}},
		{"relay", session.FaultDNS, []string{"relay.dev.example"}},
	}
	for _, tt := range tests {
		r := connect(t, c, tt.host, 25)
		if r.err == nil || r.err.Fault.Class != tt.class {
			t.Errorf("%s: %v, want class %s", tt.host, r.err, tt.class)
		}
		var about []string
		for _, e := range r.of(session.KindError) {
			about = append(about, e.Lookup.Name)
		}
		if about = slices.Compact(about); !slices.Equal(about, tt.about) {
			t.Errorf("%s: failures recorded about %q, want %q", tt.host, about, tt.about)
		}
	}
}

func TestNextNameserverIsAsked(t *testing.T) {
	for name, trouble := range map[string]testenv.Trouble{"SERVFAIL": testenv.Servfail, "REFUSED": testenv.Refused, "no answer in time": testenv.Silent} {
		bad, good := newDNS(t), newDNS(t)
		bad.Trouble("mail.example", trouble)
		good.A("mail.example", "127.0.0.1")
		c := withConf(t, "nameserver "+bad.Addr(), "nameserver "+good.Addr())
		r := connect(t, c, "mail.example", listen(t, "127.0.0.1:0"))
		if r.err != nil {
			t.Errorf("%s: %v; recorded %q", name, r.err, r.texts())
			continue
		}
		i := slices.IndexFunc(r.entries, func(e session.Entry) bool { return e.Lookup != nil && e.Lookup.Type == "A" })
		if e := r.entries[i]; e.Lookup.Server != good.Addr() || e.Lookup.Rcode != "NOERROR" || !strings.Contains(e.Text, bad.Addr()+": "+name) {
			t.Errorf("%s: recorded %q of server %s; want the good server's answer, and what the bad one said", name, e.Text, e.Lookup.Server)
		}
	}
}

func TestNameserverIsNotThere(t *testing.T) {
	c := withConf(t, fmt.Sprintf("nameserver 127.0.0.1:%d", closedPort(t)), "nameserver not-an-address")
	r := connect(t, c, "mail.example", 25)
	if r.err == nil || r.err.Fault.Class != session.FaultDNS {
		t.Errorf("got %v, want class dns", r.err)
	}
}

func TestAnswersAreRemembered(t *testing.T) {
	d := newDNS(t)
	d.A("kept.example", "127.0.0.1")
	d.Add("fleeting.example. 0 IN A 127.0.0.1")
	c := newConnector(t, options(t, d))
	port := listen(t, "127.0.0.1:0")
	for host, want := range map[string]int{"kept.example": 1, "fleeting.example": 2} {
		connect(t, c, host, port)
		again := connect(t, c, host, port)
		if n := d.Asked(host, dns.TypeA); again.err != nil || n != want {
			t.Errorf("%s: A asked %d times for two sessions (%v), want %d", host, n, again.err, want)
		}
		if l := again.entries[0].Lookup; l == nil || l.Name != host {
			t.Errorf("%s: the second session records %q, want the answer all the same", host, again.texts())
		}
	}
}

func TestFailuresAreNotRemembered(t *testing.T) {
	d := newDNS(t)
	c := newConnector(t, options(t, d))
	port := listen(t, "127.0.0.1:0")
	if r := connect(t, c, "new.example", port); r.err == nil {
		t.Fatalf("reached %s, which is not there yet", r.addr)
	}
	d.A("new.example", "127.0.0.1")
	if r := connect(t, c, "new.example", port); r.err != nil {
		t.Errorf("after the name was added: %v", r.err)
	}
}

func TestManyAddresses(t *testing.T) {
	d := newDNS(t)
	for i := range 200 {
		d.A("many.example", fmt.Sprintf("127.0.1.%d", i))
	}
	port := closedPort(t)
	r := connect(t, newConnector(t, options(t, d)), "many.example", port)
	if r.err == nil || len(r.of(session.KindError)) != 64 {
		t.Errorf("%d attempts (%v), want 64 of the 200 addresses", len(r.of(session.KindError)), r.err)
	}
}

// TestAliasesInACircle has a server that hands out one alias at a time: it is
// not asked round and round.
func TestAliasesInACircle(t *testing.T) {
	d := newDNS(t)
	d.PartialAliases()
	d.CNAME("a.example", "b.example")
	d.CNAME("b.example", "a.example")
	c := newConnector(t, options(t, d))
	r := c.Addresses(t.Context(), "a.example")[0]
	if r.Fault == nil || r.Fault.Class != session.FaultNoSuchHost || len(r.Lookup.CNAME) > 3 {
		t.Errorf("got fault %+v by aliases %q, want no such host by 3 at most", r.Fault, r.Lookup.CNAME)
	}
	if a, b := d.Asked("a.example", dns.TypeA), d.Asked("b.example", dns.TypeA); a > 2 || b > 2 {
		t.Errorf("asked %d and %d times for the two, want 2 at most", a, b)
	}
}

// TestCutAndNoTCP has a server that says over UDP only that its answer does not
// fit, behind a firewall that lets no DNS over TCP through: that is no word on
// whether the name exists.
func TestCutAndNoTCP(t *testing.T) {
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{PacketConn: packets, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
		reply := new(dns.Msg).SetReply(query)
		reply.RecursionAvailable, reply.Truncated = true, true
		_ = w.WriteMsg(reply) // who asked may have gone
	})}
	ended := make(chan error, 1)
	go func() { ended <- server.ActivateAndServe() }() // ends with the test
	t.Cleanup(func() { packets.Close(); <-ended })
	c := newConnector(t, upstream.Options{Resolver: packets.LocalAddr().String()})
	r := c.Lookup(t.Context(), "list.example", dns.TypeA)
	if r.Fault == nil || r.Fault.Class != session.FaultDNS || !strings.Contains(r.Fault.Text, "over TCP") {
		t.Errorf("got fault %+v, want one of class %s that names TCP", r.Fault, session.FaultDNS)
	}
}
