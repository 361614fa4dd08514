package main

import (
	"net"
	"testing"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
)

// listedHost is a smarthost that refuses an address, and a DNS server that
// knows why.
func listedHost(t *testing.T) (target string, d *testenv.DNS) {
	t.Helper()
	s, err := testenv.NewSmarthost(testenv.SmarthostOptions{Answers: map[session.Phase]testenv.Answer{
		session.PhaseGreeting: {Reply: "554 5.7.1 poor reputation of [203.0.113.5]", Then: testenv.EndClose},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if d, err = testenv.NewDNS(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	d.A(s.Host(), "127.0.0.1")
	d.A("2.0.0.127.zen.spamhaus.org", "127.0.0.2")
	d.A(listing, "127.0.0.4")
	_, port, _ := net.SplitHostPort(s.Addr())
	return net.JoinHostPort(s.Host(), port), d
}

const listing = "5.113.0.203.zen.spamhaus.org"

// What a refusal names and no step asks about is asked behind them, unless it
// was not to be. A later round of a watch goes by the answer of the first.
func TestCheckAsksWhatIsLeftOpen(t *testing.T) {
	for _, tt := range []struct {
		name  string
		bar   bool
		steps []string
		want  string
		asked int
	}{
		{"all steps", false, nil, "reputation.ip-blocklisted", 1},
		{"no blocklists", true, nil, "reputation.poor", 0},
		{"chosen steps", false, []string{"greeting"}, "reputation.poor", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target, d := listedHost(t)
			p, c, _ := newCheck(target, tt.steps...)
			c.config.Resolver, c.noBlocklist = d.Addr(), tt.bar
			targets, err := p.examinees(c)
			if err != nil {
				t.Fatal(err)
			}
			x, err := p.newExaminer(c)
			if err != nil {
				t.Fatal(err)
			}
			var before *examined
			for round := range 3 {
				r := x.examine(t.Context(), targets[0], before)
				if len(r.findings) == 0 || r.findings[0].Cause != tt.want {
					t.Errorf("round %d: got %+v, want %s first", round, r.findings, tt.want)
				}
				before = r
			}
			if n := d.Asked(listing, dns.TypeA); n != tt.asked {
				t.Errorf("the list was asked %d times, want %d", n, tt.asked)
			}
		})
	}
}
