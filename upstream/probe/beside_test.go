package probe_test

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// TestBeside has two probers that reach smarthosts in different ways stay
// within the bounds of one.
func TestBeside(t *testing.T) {
	d := newLists(t)
	first := d.prober(t, probe.Options{})
	second := d.prober(t, probe.Options{Beside: first})
	addr := netip.MustParseAddr(ours)
	for i, p := range []*probe.Prober{first, second} {
		if e := p.Blocklists(t.Context(), addr); e.Probe.Result != "ok" || e.Probe.Cached != (i > 0) {
			t.Errorf("prober %d: got %+v %q, want the blocklists asked once", i, *e.Probe, e.Text)
		}
	}
	for _, l := range d.all {
		if asked := d.Asked(probe.QuestionTo(l, addr), dns.TypeA); asked != 1 {
			t.Errorf("%s was asked %d times, want once", l.Zone, asked)
		}
	}
	ca := newCA(t)
	where := target(smarthost{}.open(t, ca), upstream.ModeSTARTTLS)
	one := newProber(t, ca.Pool(), probe.Options{PerMinute: 1})
	other := newProber(t, nil, probe.Options{PerMinute: 1, Beside: one})
	if e := one.Certificate(t.Context(), where, ""); e.Probe.Result != "ok" {
		t.Errorf("got %+v %q, want ok", *e.Probe, e.Text)
	}
	if e := other.Certificate(t.Context(), where, ""); e.Probe.Result != "skip" {
		t.Errorf("got %+v %q behind another prober's connection, want skip", *e.Probe, e.Text)
	}
}
