package probe_test

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// The addresses that are asked about.
const (
	ours  = "203.0.113.5"
	ours6 = "2001:db8::5"
)

// lists are all blocklists at once: a DNS server that answers for the test
// points of each.
type lists struct {
	*testenv.DNS
	all []probe.Blocklist
}

func newLists(t *testing.T) lists {
	t.Helper()
	server, err := testenv.NewDNS()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	all := loadLists(t)
	for _, l := range all {
		server.A(probe.QuestionTo(l, l.Listed), "127.0.0.2")
	}
	return lists{server, all}
}

// has puts an address on a list, with these codes.
func (d lists) has(t *testing.T, zone, addr string, codes ...string) string {
	t.Helper()
	for _, l := range d.all {
		if l.Zone == zone {
			name := probe.QuestionTo(l, netip.MustParseAddr(addr))
			d.A(name, codes...)
			return name
		}
	}
	t.Fatalf("no list %s", zone)
	return ""
}

func (d lists) prober(t *testing.T, o probe.Options) *probe.Prober {
	t.Helper()
	c, err := upstream.New(upstream.Options{Resolver: d.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	o.Connector = c
	return probe.New(o)
}

func foundOf(e session.Entry, zone string) session.Found {
	for _, f := range e.Probe.Found {
		if f.What == zone {
			return f
		}
	}
	return session.Found{}
}

func TestBlocklistsClear(t *testing.T) {
	d := newLists(t)
	e := d.prober(t, probe.Options{}).Blocklists(t.Context(), netip.MustParseAddr(ours))
	if e.Kind != session.KindProbe || e.Probe.Name != "dnsbl" || e.Probe.Result != "ok" || e.Probe.Cause != "" || e.Probe.Target != ours {
		t.Errorf("got %+v %q, want ok", *e.Probe, e.Text)
	}
	if len(e.Probe.Found) != len(d.all) {
		t.Errorf("found %d, want all %d lists", len(e.Probe.Found), len(d.all))
	}
	for _, f := range e.Probe.Found {
		if f.Result != "clear" {
			t.Errorf("%s: %s %q, want clear", f.What, f.Result, f.Text)
		}
	}
}

// TestEachCode has every code of every list come alone.
func TestEachCode(t *testing.T) {
	d := newLists(t)
	addr := netip.MustParseAddr("203.0.113.0")
	for _, l := range d.all {
		p := d.prober(t, probe.Options{}) // a new one for each: it asks about so many addresses an hour
		for code, c := range l.Codes {
			addr = addr.Next()
			d.has(t, l.Zone, addr.String(), code)
			e := p.Blocklists(t.Context(), addr)
			f := foundOf(e, l.Zone)
			if f.Result != "listed" || !strings.Contains(f.Text, c.Means) || e.Probe.Result != "fail" {
				t.Errorf("%s %s: %s %q with %s %q, want listed as %q", l.Zone, code, f.Result, f.Text, e.Probe.Result, e.Text, c.Means)
			}
			if serious := c.Weight != "minor"; serious != (e.Probe.Cause == "reputation.ip-blocklisted") {
				t.Errorf("%s %s: cause %q of a listing of weight %s", l.Zone, code, e.Probe.Cause, c.Weight)
			}
		}
		for code, means := range l.Refusals {
			addr = addr.Next()
			d.has(t, l.Zone, addr.String(), code)
			e := p.Blocklists(t.Context(), addr)
			if f := foundOf(e, l.Zone); f.Result != "refused" || !strings.Contains(f.Text, means) || e.Probe.Result != "ok" {
				t.Errorf("%s %s: %s %q with %s, want refused for %q and the rest ok", l.Zone, code, f.Result, f.Text, e.Probe.Result, means)
			}
		}
	}
}

const (
	zen  = "zen.spamhaus.org"
	cop  = "bl.spamcop.net"
	s5h  = "all.s5h.net"
	rats = "all.spamrats.com"
)

// TestBlocklistAnswers has one list answer in all the ways there are.
func TestBlocklistAnswers(t *testing.T) {
	tests := []struct {
		name   string
		set    func(t *testing.T, d lists)
		zone   string
		result string
		text   string
	}{
		{"two codes", func(t *testing.T, d lists) { d.has(t, zen, ours, "127.0.0.4", "127.0.0.10") }, zen, "listed", "XBL"},
		{"an unknown code", func(t *testing.T, d lists) { d.has(t, zen, ours, "127.0.0.77") }, zen, "listed", "code 127.0.0.77"},
		{"the list's own words", func(t *testing.T, d lists) {
			d.TXT(d.has(t, cop, ours, "127.0.0.2"), "Blocked für \"spam\" - see https://www.spamcop.net/bl.shtml?"+ours+"\a")
		}, cop, "listed", `Blocked für \"spam\" - see`},
		{"where it is looked up", func(t *testing.T, d lists) { d.has(t, zen, ours, "127.0.0.2") }, zen, "listed", "https://check.spamhaus.org/results/?query=" + ours},
		{"a code of Spamhaus's from another", func(t *testing.T, d lists) { d.has(t, cop, ours, "127.255.255.254") }, cop, "refused", "127.255.255.254"},
		{"the code that no listing has", func(t *testing.T, d lists) { d.has(t, cop, ours, "127.0.0.1") }, cop, "refused", "127.0.0.1"},
		{"a refusal at the test point", func(t *testing.T, d lists) {
			d.Remove("2.0.0.127." + zen)
			d.A("2.0.0.127."+zen, "127.255.255.254")
		}, zen, "refused", "public resolver"},
		{"REFUSED", func(t *testing.T, d lists) { d.Trouble("5.113.0.203."+cop, testenv.Refused) }, cop, "refused", "REFUSED"},
		{"SERVFAIL", func(t *testing.T, d lists) { d.Trouble("5.113.0.203."+cop, testenv.Servfail) }, cop, "silent", "SERVFAIL"},
		{"no answer", func(t *testing.T, d lists) { d.Trouble("5.113.0.203."+cop, testenv.Silent) }, cop, "silent", "no answer in time"},
		{"no answer for the test point", func(t *testing.T, d lists) { d.Trouble("2.0.0.127."+cop, testenv.Silent) }, cop, "silent", "no answer in time"},
		{"listed, and no answer for the point that is clear", func(t *testing.T, d lists) {
			d.has(t, cop, ours, "127.0.0.2")
			d.Trouble("1.0.0.127."+cop, testenv.Silent)
		}, cop, "silent", "no answer in time"},
		{"a list of the whole world", func(t *testing.T, d lists) {
			d.has(t, cop, ours, "127.0.0.2")
			d.has(t, cop, "127.0.0.1", "127.0.0.2")
		}, cop, "unusable", "it lists everything"},
		{"an empty list", func(t *testing.T, d lists) { d.Remove("2.0.0.127." + cop) }, cop, "unusable", "it lists nothing"},
		{"a parked domain", func(t *testing.T, d lists) { d.has(t, cop, ours, "192.0.2.80") }, cop, "unusable", "192.0.2.80"},
		{"a parked domain's test point", func(t *testing.T, d lists) {
			d.Remove("2.0.0.127." + cop)
			d.A("2.0.0.127."+cop, "192.0.2.80")
		}, cop, "unusable", "it lists nothing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newLists(t)
			test.set(t, d)
			var o probe.Options
			if strings.Contains(test.text, "in time") { // which the other lists have to be in
				o.Timeout = 1500 * time.Millisecond
			}
			e := d.prober(t, o).Blocklists(t.Context(), netip.MustParseAddr(ours))
			f := foundOf(e, test.zone)
			if f.Result != test.result || !strings.Contains(f.Text, test.text) || strings.ContainsRune(f.Text, '\a') {
				t.Errorf("%s: %s %q, want %s with %q", test.zone, f.Result, f.Text, test.result, test.text)
			}
			if want := map[bool]string{true: "fail", false: "ok"}[test.result == "listed"]; e.Probe.Result != want {
				t.Errorf("result %s %q, want %s", e.Probe.Result, e.Text, want)
			}
		})
	}
}

func TestBlocklistsIPv6(t *testing.T) {
	d := newLists(t)
	d.has(t, zen, ours6, "127.0.0.3")
	d.has(t, s5h, ours6, "127.0.0.2")
	d.has(t, s5h, "::ffff:7f00:1", "127.0.0.2")
	e := d.prober(t, probe.Options{}).Blocklists(t.Context(), netip.MustParseAddr(ours6))
	if f := foundOf(e, zen); f.Result != "listed" || e.Probe.Result != "fail" {
		t.Errorf("%s: %s %q with %s, want listed", zen, f.Result, f.Text, e.Probe.Result)
	}
	if f := foundOf(e, s5h); f.Result != "unusable" {
		t.Errorf("%s has the point that no list has: %s %q, want unusable", s5h, f.Result, f.Text)
	}
	for _, l := range d.all {
		if asked := foundOf(e, l.Zone).What != ""; asked != l.IPv6 {
			t.Errorf("%s: asked %v about IPv6, want %v", l.Zone, asked, l.IPv6)
		}
	}
}

func TestUnlistable(t *testing.T) {
	d := newLists(t)
	p := d.prober(t, probe.Options{})
	for _, addr := range []string{"127.0.0.1", "10.0.0.5", "192.168.1.5", "100.64.0.5", "169.254.0.5", "::1", "fe80::5", "fd00::5", ""} {
		a, _ := netip.ParseAddr(addr)
		if e := p.Blocklists(t.Context(), a); e.Probe.Result != "skip" || len(e.Probe.Found) > 0 {
			t.Errorf("%q: got %+v, want skip", addr, *e.Probe)
		}
	}
	for _, l := range d.all {
		if n := d.Asked(probe.QuestionTo(l, l.Listed), dns.TypeA); n > 0 {
			t.Errorf("%s was asked %d times, want none", l.Zone, n)
		}
	}
}

// TestBlocklistsAreAskedOnceAnHour counts the questions of many sessions.
func TestBlocklistsAreAskedOnceAnHour(t *testing.T) {
	d := newLists(t)
	now := &clock{now: time.Now()}
	p := d.prober(t, probe.Options{Now: now.Now, Keep: time.Minute})
	name := d.has(t, zen, ours, "127.0.0.4")
	var asking sync.WaitGroup
	for range 50 {
		asking.Go(func() { p.Blocklists(t.Context(), netip.MustParseAddr(ours)) })
	}
	asking.Wait()
	now.pass(59 * time.Minute)
	if e := p.Blocklists(t.Context(), netip.MustParseAddr(ours)); !e.Probe.Cached || e.Probe.Result != "fail" || foundOf(e, zen).Result != "listed" {
		t.Errorf("after 59 minutes: %+v %q, want the answer remembered", *e.Probe, e.Text)
	}
	if n := d.Asked(name, dns.TypeA); n != 1 {
		t.Errorf("asked %d times within the hour, want once", n)
	}
	now.pass(time.Minute)
	if e := p.Blocklists(t.Context(), netip.MustParseAddr(ours)); e.Probe.Cached || d.Asked(name, dns.TypeA) != 2 {
		t.Errorf("after an hour: asked %d times, cached %v, want twice", d.Asked(name, dns.TypeA), e.Probe.Cached)
	}
}

// TestNobodyAnswers has no list answer: that is no answer, and they are left
// alone for an hour all the same.
func TestNobodyAnswers(t *testing.T) {
	d := newLists(t)
	for _, l := range d.all {
		d.Trouble(probe.QuestionTo(l, netip.MustParseAddr(ours)), testenv.Servfail)
	}
	now := &clock{now: time.Now()}
	p := d.prober(t, probe.Options{Now: now.Now})
	for i, cached := range []bool{false, true, false} {
		e := p.Blocklists(t.Context(), netip.MustParseAddr(ours))
		if e.Probe.Result != "skip" || e.Probe.Cached != cached || len(e.Probe.Found) != len(d.all) || !strings.HasPrefix(e.Text, "not tested: ") {
			t.Errorf("%d minutes on: got %+v %q, want skip, cached %v", i*30, *e.Probe, e.Text, cached)
		}
		now.pass(30 * time.Minute)
	}
}

func TestBlocklistsEndWithTheCaller(t *testing.T) {
	d := newLists(t)
	for _, l := range d.all {
		d.Trouble(probe.QuestionTo(l, netip.MustParseAddr(ours)), testenv.Silent)
	}
	p := d.prober(t, probe.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	e := p.Blocklists(ctx, netip.MustParseAddr(ours))
	if e.Probe.Result != "skip" || time.Since(began) > 2*time.Second {
		t.Errorf("got %+v after %s, want skip at once", *e.Probe, time.Since(began))
	}
	for _, l := range d.all {
		d.Remove(probe.QuestionTo(l, netip.MustParseAddr(ours)))
	}
	if e := p.Blocklists(t.Context(), netip.MustParseAddr(ours)); e.Probe.Cached || e.Probe.Result != "ok" {
		t.Errorf("asked again: %+v %q, want ok and nothing remembered", *e.Probe, e.Text)
	}
}
