package testenv_test

import (
	"net"
	"slices"
	"testing"

	"github.com/miekg/dns"

	"smtp-proxy/testenv"
)

func newDemo(t *testing.T) *testenv.Demo {
	t.Helper()
	d, err := testenv.NewDemo()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

func TestDemoShowsADeliveryAndManyFailures(t *testing.T) {
	d := newDemo(t)
	var causes, routes []string
	for _, s := range d.Scenarios {
		routes = append(routes, s.Route)
		if s.Cause != "" {
			causes = append(causes, s.Cause)
		}
		if s.Relay.AppTimeout != 0 || s.App.Patience > 0 {
			t.Errorf("%s: waits for a time-out", s.Route)
		}
	}
	slices.Sort(routes)
	if got := len(slices.Compact(routes)); got != len(d.Scenarios) {
		t.Errorf("%d routes for %d scenarios, want one each: %q", got, len(d.Scenarios), routes)
	}
	if d.Scenarios[0].Cause != "" || len(causes) < 8 || len(d.Scenarios) != len(causes)+1 {
		t.Errorf("first %+v, causes %q: want a delivery first, then eight failures or more", d.Scenarios[0], causes)
	}
}

// The name server of the demo leads to every upstream, each by one address,
// but for the name that is misspelt.
func TestDemoNamesEveryUpstream(t *testing.T) {
	d := newDemo(t)
	for _, s := range d.Scenarios {
		host, _, err := net.SplitHostPort(s.Upstream)
		if err != nil {
			t.Fatal(err)
		}
		r, err := dns.Exchange(new(dns.Msg).SetQuestion(host+".", dns.TypeA), d.Resolver)
		if err != nil {
			t.Fatal(err)
		}
		want := 1
		if s.Cause == "connect.dns-no-such-host" {
			want = 0
		}
		if len(r.Answer) != want {
			t.Errorf("%s: %d addresses of %s, want %d", s.Route, len(r.Answer), host, want)
		}
	}
}

func TestDemoDelivers(t *testing.T) {
	s := newDemo(t).Scenarios[0]
	_, port, _ := net.SplitHostPort(s.Upstream)
	app := s.App
	app.Addr = "127.0.0.1:" + port
	v, err := app.Send(within(t))
	if err != nil || !v.Delivered() {
		t.Errorf("got %+v, %v, want a delivery", v, err)
	}
	if err := s.Run(within(t), app.Addr); err != nil {
		t.Error(err)
	}
}
