package testenv_test

import (
	"net"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream/probe"
)

// What is odd beside the smarthost is warned of, and no finding while the
// smarthost takes the mail: this machine's address is listed and has no name,
// the SPF of its sender's domain is broken, and the recipient's domain is not in
// the DNS that is asked here.
func TestCheckOnlyWarnsOfWhatTheSmarthostLetsPass(t *testing.T) {
	t.Parallel()
	f := suspicious(t)
	for _, to := range []string{"user@no-such-domain.invalid", "user@closed.example", "user@lost.example"} {
		c := examine(t, f, exam{script: probe.Script{From: "app@example.com", To: to}, within: time.Minute})
		c.wantNothing(t, newEngine(t))
		for _, step := range []string{"mx", "starttls", "ptr", "dnsbl", "spf", "dmarc"} {
			c.wantWarned(t, step)
		}
	}
}

// suspicious is a smarthost that takes everything from a machine which others
// would refuse, to domains that others do not find.
func suspicious(t *testing.T) *testenv.Fault {
	t.Helper()
	s := newSmarthost(t, testenv.SmarthostOptions{NoTLS: true, Answers: map[session.Phase]testenv.Answer{
		session.PhaseHelo: {Reply: "250-mail.example.com Hello app.localhost [203.0.113.5]\n250 SIZE 52428800"},
	}})
	d, err := testenv.NewDNS()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	d.A("mail.example.com", "127.0.0.1")
	d.TXT("example.com", "v=spf1 include:no-such-domain.invalid -all")
	d.MX("closed.example", "0 .")
	d.MX("lost.example", "10 gone.lost.example.")
	for zone, code := range map[string]string{"zen.spamhaus.org": "127.0.0.4", "bl.spamcop.net": "127.0.0.2"} {
		d.A("2.0.0.127."+zone, "127.0.0.2")
		d.A("5.113.0.203."+zone, code)
	}
	_, port, _ := net.SplitHostPort(s.Addr())
	return &testenv.Fault{Upstream: net.JoinHostPort("mail.example.com", port), Resolver: d.Addr(), Sends: 1}
}

func (c *checked) wantWarned(t *testing.T, step string) {
	t.Helper()
	for _, l := range c.report.Lines {
		if l.Step == step && l.Status == probe.StatusWarn {
			return
		}
	}
	t.Errorf("no warning of %s in\n%s", step, c.ladder())
}
