package probe_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// Every question is answered by the probe that it names; one that nobody knows
// is answered, too.
func TestAsk(t *testing.T) {
	p := newProber(t, nil, probe.Options{Timeout: 500 * time.Millisecond, OtherPorts: []int{}})
	at := target(start(t, testenv.SmarthostOptions{}).Addr(), upstream.ModeAuto)
	for _, name := range append(probe.Questions(), "nobody") {
		e := p.Ask(t.Context(), at, probe.Question{Probe: name})
		if e.Probe == nil || e.Probe.Name != name || e.Kind != session.KindProbe || e.Text == "" {
			t.Errorf("asked %q: got %+v, %+v, want an answer of that name", name, e, e.Probe)
		}
	}
	if !slices.Contains(probe.Questions(), "certificate") {
		t.Errorf("the questions are %q, want certificate among them", probe.Questions())
	}
}

// What a refusal names counts for more than what the session shows: a smarthost
// passes on what was said of its own address.
func TestQuestionAbout(t *testing.T) {
	entries := []session.Entry{{
		Kind: session.KindReply, From: session.FromUpstream, Verb: "EHLO", Code: 250, Text: "250 mx at your service, [203.0.113.5]",
	}}
	named := netip.MustParseAddr("198.51.100.7")
	for _, test := range []struct{ addr, want netip.Addr }{
		{netip.Addr{}, netip.MustParseAddr("203.0.113.5")},
		{named, named},
	} {
		if got := (probe.Question{Addr: test.addr}).About(entries).Addr; got != test.want {
			t.Errorf("address %s: got %s, want %s", test.addr, got, test.want)
		}
	}
}
