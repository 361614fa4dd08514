package upstream_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

func TestConnectByName(t *testing.T) {
	d := newDNS(t)
	d.A("mail.example", "127.0.0.1")
	port := listen(t, "127.0.0.1:0")
	r := connect(t, newConnector(t, options(t, d)), "mail.example", port)

	if want := fmt.Sprintf("127.0.0.1:%d", port); r.addr != want {
		t.Fatalf("connected to %q (%v), want %q", r.addr, r.err, want)
	}
	if errs := r.of(session.KindError); len(errs) != 0 {
		t.Errorf("a healthy connect recorded errors: %q", r.texts())
	}
	opened := r.of(session.KindOpen)
	if len(opened) != 1 || opened[0].Dial == nil || opened[0].Dial.Addr != r.addr || opened[0].Dial.Host != "mail.example" ||
		opened[0].Dial.Family != "ipv4" || opened[0].Dial.Local == "" || opened[0].Leg != session.Upstream || opened[0].From != session.FromProxy {
		t.Errorf("open entries: %+v", opened)
	}
	i := slices.IndexFunc(r.entries, func(e session.Entry) bool { return e.Lookup != nil && e.Lookup.Type == "A" })
	if i < 0 {
		t.Fatalf("no A question in %q", r.texts())
	}
	l := r.entries[i].Lookup
	if l.Name != "mail.example" || l.Server != d.Addr() || l.Rcode != "NOERROR" || !slices.Equal(l.Answers, []string{"127.0.0.1"}) {
		t.Errorf("A question recorded as %+v", l)
	}
	if d.Asked("mail.example", dns.TypeAAAA) != 1 {
		t.Errorf("AAAA asked %d times, want once beside A", d.Asked("mail.example", dns.TypeAAAA))
	}
}

func TestConnectFollowsAliases(t *testing.T) {
	for _, partial := range []bool{false, true} {
		d := newDNS(t)
		d.CNAME("smtp.example", "in.provider.example")
		d.CNAME("in.provider.example", "host-1.provider.example")
		d.A("host-1.provider.example", "127.0.0.1")
		if partial {
			d.PartialAliases()
		}
		r := connect(t, newConnector(t, options(t, d)), "smtp.example", listen(t, "127.0.0.1:0"))
		if r.err != nil {
			t.Fatalf("partial answers %v: %v; recorded %q", partial, r.err, r.texts())
		}
		i := slices.IndexFunc(r.entries, func(e session.Entry) bool { return e.Lookup != nil && e.Lookup.Type == "A" })
		want := []string{"in.provider.example", "host-1.provider.example"}
		if got := r.entries[i].Lookup.CNAME; !slices.Equal(got, want) {
			t.Errorf("partial answers %v: aliases %q, want %q", partial, got, want)
		}
	}
}

func TestConnectEndsInAliasLoop(t *testing.T) {
	d := newDNS(t)
	d.PartialAliases()
	d.CNAME("a.example", "b.example")
	d.CNAME("b.example", "a.example")
	r := connect(t, newConnector(t, options(t, d)), "a.example", 25)
	if r.err == nil || r.err.Fault.Op != "lookup" {
		t.Fatalf("got %v, recorded %q; want a failed look-up", r.err, r.texts())
	}
	if n := d.Asked("a.example", dns.TypeA); n > 10 {
		t.Errorf("asked %d times for a.example, want a bounded number", n)
	}
}

func TestConnectTriesEveryAddress(t *testing.T) {
	d := newDNS(t)
	d.A("mail.example", "127.0.0.3", "127.0.0.4", "127.0.0.1")
	port := listen(t, "127.0.0.1:0")
	r := connect(t, newConnector(t, options(t, d)), "mail.example", port)
	if r.err != nil {
		t.Fatalf("%v; recorded %q", r.err, r.texts())
	}
	failed := r.of(session.KindError)
	if len(failed) != 2 {
		t.Fatalf("recorded %q, want two refused attempts", r.texts())
	}
	for _, e := range failed {
		if e.Dial == nil || e.Fault == nil || e.Fault.Class != session.FaultRefused || e.Fault.Errno != "ECONNREFUSED" || e.Phase != session.PhaseConnect {
			t.Errorf("failed attempt recorded as %+v, fault %+v", e, e.Fault)
		}
	}
}

func TestConnectToAnAddressAsksNobody(t *testing.T) {
	port := listen(t, "127.0.0.1:0")
	r := connect(t, newConnector(t, options(t, nil)), "127.0.0.1", port)
	if r.err != nil || len(r.entries) != 1 || r.entries[0].Kind != session.KindOpen {
		t.Errorf("got %v, recorded %q; want one open entry", r.err, r.texts())
	}
}

func TestConnectRefused(t *testing.T) {
	port := closedPort(t)
	r := connect(t, newConnector(t, options(t, nil)), "127.0.0.1", port)
	if r.err == nil || r.err.Fault.Class != session.FaultRefused || r.err.Fault.Op != "dial" {
		t.Fatalf("got %+v, want class refused", r.err)
	}
	want := fmt.Sprintf("connect to 127.0.0.1:port: connection refused (127.0.0.1:%d)", port)
	if got := r.err.Error(); got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestConnectLocalhostIsThisMachine(t *testing.T) {
	d := newDNS(t)
	d.A("localhost", "192.0.2.1")
	o := options(t, d)
	o.HostsFile = file(t, "hosts", "192.0.2.7 localhost\n")
	port := listen(t, "127.0.0.1:0")
	for _, host := range []string{"localhost", "mail.localhost"} {
		r := connect(t, newConnector(t, o), host, port)
		if r.err != nil || !strings.HasPrefix(r.addr, "127.0.0.1:") {
			t.Errorf("%s: reached %q, %v; want this machine", host, r.addr, r.err)
		}
		if errs := r.of(session.KindError); len(errs) > 0 {
			t.Errorf("%s: recorded errors %q", host, r.texts())
		}
	}
	if n := d.Asked("localhost", dns.TypeA); n != 0 {
		t.Errorf("the DNS was asked %d times for localhost", n)
	}
}

func TestConnectReadsHostsFirst(t *testing.T) {
	d := newDNS(t)
	d.A("mail.example", "192.0.2.1")
	o := options(t, d)
	o.HostsFile = file(t, "hosts", "# comment\nnot-an-address mail.example\n127.0.0.1\tother MAIL.example # here\n")
	r := connect(t, newConnector(t, o), "mail.example", listen(t, "127.0.0.1:0"))
	if r.err != nil || d.Asked("mail.example", dns.TypeA) != 0 {
		t.Fatalf("got %v after %d questions, want the hosts file's address and none", r.err, d.Asked("mail.example", dns.TypeA))
	}
	if l := r.entries[0].Lookup; l == nil || l.Type != "hosts" || !slices.Equal(l.Answers, []string{"127.0.0.1"}) {
		t.Errorf("first entry %+v, want a look-up of type hosts", r.entries[0])
	}
}

func TestLookupFailures(t *testing.T) {
	tests := []struct {
		name  string
		set   func(*testenv.DNS)
		class session.FaultClass
		text  string
	}{
		{"nxdomain", func(*testenv.DNS) {}, session.FaultNoSuchHost, "no such host"},
		{"nodata", func(d *testenv.DNS) { d.MX("x.example", "10 mx.example.") }, session.FaultNoSuchHost, "has no address, neither A nor AAAA"},
		{"servfail", func(d *testenv.DNS) { d.Trouble("x.example", testenv.Servfail) }, session.FaultDNS, "SERVFAIL"},
		{"refused", func(d *testenv.DNS) { d.Trouble("x.example", testenv.Refused) }, session.FaultDNS, "REFUSED"},
		{"referral", func(d *testenv.DNS) { d.Trouble("x.example", testenv.Referral) }, session.FaultDNS, "referral"},
		{"silent", func(d *testenv.DNS) { d.Trouble("x.example", testenv.Silent) }, session.FaultDNS, "no answer in time"},
		{"alias to nothing", func(d *testenv.DNS) { d.CNAME("x.example", "y.example") }, session.FaultNoSuchHost, "alias of y.example"},
		{"sinkhole", func(d *testenv.DNS) { d.A("x.example", "0.0.0.0") }, session.FaultNoSuchHost, "it blocks this name"},
		{"nodata and servfail", func(d *testenv.DNS) {
			d.MX("x.example", "10 mx.example.")
			d.Trouble("x.example", testenv.Servfail, dns.TypeA)
		}, session.FaultDNS, "SERVFAIL"},
		{"nxdomain and silence", func(d *testenv.DNS) { d.Trouble("x.example", testenv.Silent, dns.TypeAAAA) }, session.FaultNoSuchHost, "NXDOMAIN"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDNS(t)
			tt.set(d)
			o := options(t, d)
			o.LookupTimeout = 300e6
			r := connect(t, newConnector(t, o), "x.example", 25)
			if r.err == nil || r.err.Fault.Class != tt.class || r.err.Fault.Op != "lookup" {
				t.Fatalf("got %+v, recorded %q; want class %s", r.err, r.texts(), tt.class)
			}
			if got := r.err.Error(); !strings.HasPrefix(got, "look up x.example: ") || !strings.Contains(got, tt.text) {
				t.Errorf("error %q, want it to say %q", got, tt.text)
			}
			errs := r.of(session.KindError)
			if len(errs) == 0 {
				t.Fatalf("no error recorded: %q", r.texts())
			}
			for _, e := range errs {
				if e.Lookup == nil || e.Fault == nil || e.Lookup.Name != "x.example" || e.Lookup.Server != d.Addr() {
					t.Errorf("failure recorded as %+v, look-up %+v", e, e.Lookup)
				}
			}
		})
	}
}

func TestOneFamilyIsEnough(t *testing.T) {
	for _, trouble := range []testenv.Trouble{testenv.Silent, testenv.Servfail} {
		d := newDNS(t)
		d.A("mail.example", "127.0.0.1")
		d.Trouble("mail.example", trouble, dns.TypeAAAA)
		r := connect(t, newConnector(t, options(t, d)), "mail.example", listen(t, "127.0.0.1:0"))
		if r.err != nil {
			t.Fatalf("trouble %v with AAAA: %v", trouble, r.err)
		}
		if errs := r.of(session.KindError); len(errs) > 0 {
			t.Errorf("trouble %v with AAAA: recorded %q, want no error", trouble, r.texts())
		}
	}
}

func TestLookupOverTCP(t *testing.T) {
	d := newDNS(t)
	d.A("mail.example", "127.0.0.1")
	d.Trouble("mail.example", testenv.Truncated)
	r := connect(t, newConnector(t, options(t, d)), "mail.example", listen(t, "127.0.0.1:0"))
	if r.err != nil {
		t.Fatalf("%v; recorded %q", r.err, r.texts())
	}
	if n := d.Asked("mail.example", dns.TypeA); n != 2 {
		t.Errorf("A was asked %d times, want once over UDP and once over TCP", n)
	}
}

func TestLookupMakesDoWithTheCutAnswer(t *testing.T) {
	d := newDNS(t)
	d.A("mail.example", "127.0.0.1")
	d.Trouble("mail.example", testenv.UDPOnly)
	o := options(t, d)
	o.LookupTimeout = 400e6
	r := connect(t, newConnector(t, o), "mail.example", listen(t, "127.0.0.1:0"))
	if r.err != nil {
		t.Fatalf("%v; recorded %q", r.err, r.texts())
	}
}

func TestConnectCancelled(t *testing.T) {
	d := newDNS(t)
	d.Trouble("mail.example", testenv.Silent)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	conn, err := newConnector(t, options(t, d)).Connect(ctx, upstream.Target{Name: "mail.example:25", Host: "mail.example", Port: 25}, func(session.Entry) {})
	var failed *upstream.Error
	if conn != nil || !errors.As(err, &failed) || failed.Fault.Class != session.FaultLocal {
		t.Errorf("got %v, %v; want an error of class local", conn, err)
	}
}

func TestNewRefusesBadResolver(t *testing.T) {
	for _, s := range []string{"dns.example:53", "10.0.0.1:0", "10.0.0.1:dns", ":53"} {
		if _, err := upstream.New(upstream.Options{Resolver: s}); err == nil || !strings.Contains(err.Error(), "use ip:port") {
			t.Errorf("New with resolver %q: %v, want an error that says what to use", s, err)
		}
	}
	for _, s := range []string{"10.0.0.1", "::1", "[::1]:5353", "10.0.0.1:53"} {
		if _, err := upstream.New(upstream.Options{Resolver: s}); err != nil {
			t.Errorf("New with resolver %q: %v", s, err)
		}
	}
}

func TestClassifyOfAClosedConnection(t *testing.T) {
	a, b := net.Pipe()
	b.Close()
	_, err := a.Read(make([]byte, 1))
	if f := upstream.Classify("read", err); f == nil || f.Class != session.FaultClosed || f.Op != "read" {
		t.Errorf("end of stream classified as %+v", f)
	}
	a.Close()
	_, err = a.Read(make([]byte, 1))
	if f := upstream.Classify("read", fmt.Errorf("relay: %w", err)); f == nil || f.Class == session.FaultOther {
		t.Errorf("own close classified as %+v (%v)", f, err)
	}
	if f := upstream.Classify("read", nil); f != nil {
		t.Errorf("no error classified as %+v", f)
	}
}

func TestConnectAvoidsTheProxyItself(t *testing.T) {
	port := listen(t, "127.0.0.1:0")
	c := newConnector(t, options(t, nil))
	c.Avoid(func(addr netip.AddrPort) bool { return int(addr.Port()) == port })
	r := connect(t, c, "127.0.0.1", port)
	if r.err == nil || r.err.Fault.Class != session.FaultLoop || !strings.Contains(r.err.Error(), "that is this proxy itself") {
		t.Errorf("got %v, want class loop", r.err)
	}
}
