package main

import (
	"net/netip"
	"testing"
	"time"

	"smtp-proxy/policy"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// Probes of a redirected session look for the certificate under the name that
// --upstream gives for its port, as the session did.
func TestRedirectedTarget(t *testing.T) {
	named := upstream.Target{Name: "smtp.example.com:587", Host: "smtp.example.com", Port: 587, Mode: upstream.ModeSTARTTLS}
	for _, test := range []struct {
		known upstream.Target
		dest  string
		want  upstream.Target
	}{
		{named, "192.0.2.25:587", upstream.Target{Name: "192.0.2.25:587", Host: "smtp.example.com", Port: 587, Mode: upstream.ModeSTARTTLS}},
		{named, "[2001:db8::25]:465", upstream.Target{Name: "[2001:db8::25]:465", Host: "2001:db8::25", Port: 465, Mode: upstream.ModeAuto}},
		{upstream.Target{Mode: upstream.ModeNone}, "192.0.2.25:25", upstream.Target{Name: "192.0.2.25:25", Host: "192.0.2.25", Port: 25, Mode: upstream.ModeNone}},
	} {
		got, err := redirectedTarget(test.known, test.dest)
		if err != nil || got != test.want {
			t.Errorf("redirectedTarget(%+v, %s): got %+v, %v, want %+v", test.known, test.dest, got, err, test.want)
		}
	}
	if got, err := redirectedTarget(named, "no address"); err == nil {
		t.Errorf("redirectedTarget of no address: got %+v, want an error", got)
	}
}

// Routes that trust different roots have probers of their own, and yet a
// blocklist is asked about an address once.
func TestRoutesShareBounds(t *testing.T) {
	d, err := testenv.NewDNS()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	d.A("2.0.0.127.zen.spamhaus.org", "127.0.0.2") // its test point
	x := &plant{program: &program{now: time.Now}}
	for i, name := range []string{"a", "b", "c"} {
		c, err := upstream.New(upstream.Options{Resolver: d.Addr()})
		if err != nil {
			t.Fatal(err)
		}
		x.asks(policy.Route{Name: name, Upstream: "smtp.example.com:587"}, c)
		one, _ := x.askers.of(name)
		e := one.prober.Blocklists(t.Context(), netip.MustParseAddr("203.0.113.5"))
		if e.Probe.Result != "ok" || e.Probe.Cached != (i > 0) {
			t.Errorf("route %s: got %+v %q, want the lists asked for the first route alone", name, *e.Probe, e.Text)
		}
	}
}
