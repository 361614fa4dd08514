package probe_test

import (
	"net"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream/probe"
)

func TestResolversStep(t *testing.T) {
	first, second := newDNS(t), newDNS(t)
	both := func(change func(*testenv.DNS)) { change(first); change(second) }
	both(func(d *testenv.DNS) { d.A("same.example", "192.0.2.1", "192.0.2.2") })
	first.A("turns.example", "192.0.2.1")
	second.A("turns.example", "192.0.2.2")
	first.A("split.example", "8.8.4.4")
	second.A("split.example", "10.0.0.1")
	first.A("late.example", "192.0.2.1")
	both(func(d *testenv.DNS) { d.A("dead.example", "192.0.2.1") })
	second.Trouble("dead.example", testenv.Silent)
	both(func(d *testenv.DNS) { d.A("half.example", "192.0.2.1") })
	second.Trouble("half.example", testenv.Servfail, dns.TypeAAAA)
	both(func(d *testenv.DNS) { d.A("refused.example", "192.0.2.1") })
	second.Trouble("refused.example", testenv.Refused)
	both(func(d *testenv.DNS) { d.Trouble("broken.example", testenv.Refused) })
	w := newWorld(t, settings{servers: []string{first.Addr(), second.Addr()}})
	for host, want := range map[string][]string{
		"same.example":    {"ok 2 DNS servers know same.example alike (" + first.Addr() + " in …, " + second.Addr() + " in "},
		"nowhere.example": {"ok 2 DNS servers say that nowhere.example has no address alike ("},
		"turns.example":   {"ok the DNS servers give different addresses of turns.example: " + first.Addr() + " says 192.0.2.1; " + second.Addr() + " says 192.0.2.2"},
		"split.example":   {"warn the DNS servers give different addresses of split.example: " + first.Addr() + " says 8.8.4.4; " + second.Addr() + " says 10.0.0.1; one of them has local data"},
		"late.example":    {"warn the DNS servers disagree about late.example: " + first.Addr() + " has 192.0.2.1, and " + second.Addr() + ": no such host (NXDOMAIN)"},
		"dead.example":    {"ok the DNS server knows dead.example (" + first.Addr(), "warn " + second.Addr() + ": no answer in time; when it is asked first, every look-up waits"},
		"refused.example": {"ok the DNS server knows refused.example", "warn " + second.Addr() + ": REFUSED; when it is asked first, another has to be asked"},
		"half.example":    {"ok 2 DNS servers", "warn " + second.Addr() + " answers for one address family only: SERVFAIL"},
		"broken.example":  {"fail no DNS server has an answer: " + first.Addr() + ": REFUSED; " + second.Addr() + ": REFUSED"},
		"listed.example":  {"skip listed.example is 192.0.2.9 (" + w.hosts + "): no DNS server is asked"},
		"192.0.2.1":       {"skip 192.0.2.1 is an address: no DNS server is asked"},
	} {
		expect(t, host, w.ladder(t, at(host, 25), probe.Wanted{}, "resolvers"), want...)
	}
}

// TestOneResolver has nobody to compare with.
func TestOneResolver(t *testing.T) {
	w := newWorld(t, settings{})
	w.dns.A("mail.example", "192.0.2.1")
	expect(t, "one server", w.ladder(t, at("mail.example", 25), probe.Wanted{}, "resolvers"), "ok the DNS server knows mail.example ("+w.dns.Addr()+" in ")
}

// TestNoResolver has no server in resolv.conf.
func TestNoResolver(t *testing.T) {
	w := newWorld(t, settings{servers: []string{"none"}})
	for step, host := range map[string]string{"resolvers": "mail.invalid", "reverse": "192.0.2.1"} {
		expect(t, step, w.ladder(t, at(host, 25), probe.Wanted{}, step), "skip …only the operating system knows")
	}
}

// TestResolvers asks for a failed session.
func TestResolvers(t *testing.T) {
	first, second := newDNS(t), newDNS(t)
	first.A("late.example", "192.0.2.1")
	first.A("same.example", "192.0.2.1")
	second.A("same.example", "192.0.2.1")
	first.Trouble("dead.example", testenv.Servfail)
	second.Trouble("dead.example", testenv.Servfail)
	w := newWorld(t, settings{servers: []string{first.Addr(), second.Addr()}})
	for _, x := range []struct {
		host, result, cause string
		found               []string
	}{
		{"same.example", "ok", "", []string{"ok", "ok"}},
		{"nowhere.example", "ok", "", []string{"no-such-host", "no-such-host"}},
		{"late.example", "fail", "", []string{"ok", "no-such-host"}},
		{"dead.example", "fail", "connect.dns-failure", []string{"failed", "failed"}},
		{"listed.example", "skip", "", nil},
	} {
		e := w.Resolvers(t.Context(), at(x.host, 587))
		var found []string
		for _, f := range e.Probe.Found {
			found = append(found, f.Result)
		}
		if e.Probe.Name != "resolvers" || e.Probe.Result != x.result || e.Probe.Cause != x.cause || !slices.Equal(found, x.found) {
			t.Errorf("%s: got %+v %q, want %s %s with %q", x.host, *e.Probe, e.Text, x.result, x.cause, x.found)
		}
	}
}

// TestResolversRemembered asks a server once for many failed sessions, and
// again a minute later: what all say alike speaks against the failure, and
// trouble may have passed.
func TestResolversRemembered(t *testing.T) {
	now := &clock{now: time.Now()}
	w := newWorld(t, settings{options: probe.Options{Now: now.Now, Keep: 10 * time.Minute}})
	w.dns.A("mail.example", "192.0.2.1")
	w.dns.Trouble("dead.example", testenv.Refused)
	asked := func(host string) int {
		e := w.Resolvers(t.Context(), at(host, 587))
		before := w.dns.Asked(host, dns.TypeA)
		if again := w.Resolvers(t.Context(), at(host, 587)); !again.Probe.Cached || again.Probe.Result != e.Probe.Result || again.Text != e.Text {
			t.Errorf("%s: asked twice: %+v after %+v, want the same from the cache", host, *again.Probe, *e.Probe)
		}
		return before
	}
	good, bad := asked("mail.example"), asked("dead.example")
	now.pass(50 * time.Second)
	if n, m := asked("mail.example"), asked("dead.example"); n != good || m != bad {
		t.Errorf("after 50 seconds: %d and %d questions, want still %d and %d", n, m, good, bad)
	}
	now.pass(20 * time.Second)
	if n, m := asked("mail.example"), asked("dead.example"); n <= good || m <= bad {
		t.Errorf("after 70 seconds: %d and %d questions, want more than %d and %d", n, m, good, bad)
	}
}

// TestResolversUnreachable asks a port that nobody listens on.
func TestResolversUnreachable(t *testing.T) {
	closed, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := closed.LocalAddr().String()
	closed.Close()
	w := newWorld(t, settings{servers: []string{addr}})
	expect(t, "closed port", w.ladder(t, at("mail.example", 25), probe.Wanted{}, "resolvers"), "fail no DNS server has an answer: "+addr+": …refused")
}
