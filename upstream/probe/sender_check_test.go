package probe_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// checked is a check of a smarthost on this machine that asks what a sender's
// domain publishes.
func checked(t *testing.T, o testenv.SmarthostOptions, from string) (lines []string, took time.Duration) {
	t.Helper()
	w := newWorld(t, settings{})
	w.dns.TXT("own.example", "v=spf1 a:mail.own.example -all")
	w.dns.A("mail.own.example", "192.0.2.1")
	w.dns.TXT("mail._domainkey.own.example", "v=DKIM1; p="+rsaKey(t, 2048))
	w.dns.TXT("_dmarc.own.example", "v=DMARC1; p=reject; rua=mailto:d@own.example")
	s := start(t, o)
	write(t, w.hosts, "127.0.0.1 "+host+"\n")
	began := time.Now()
	wanted := probe.Wanted{Steps: []string{"spf", "dkim", "dmarc", "clock"}, Script: probe.Script{Name: "app.example", From: from}}
	w.Check(t.Context(), target(s.Addr(), upstream.ModeNone), wanted, func(l probe.Line) {
		if slices.Contains(wanted.Steps, l.Step) {
			lines = append(lines, l.Step+" "+string(l.Status)+" "+l.Text)
		}
	})
	return lines, time.Since(began)
}

// TestCheckSender goes through the steps as a check does, in their order and in
// under a second.
func TestCheckSender(t *testing.T) {
	greets := testenv.SmarthostOptions{NoTLS: true, Answers: map[session.Phase]testenv.Answer{
		session.PhaseGreeting: {Reply: "220 {host} ESMTP Exim 4.98 {date}"},
	}}
	lines, took := checked(t, greets, "me@own.example")
	expect(t, "a domain in order", lines,
		"spf ok own.example publishes", "spf skip whether the smarthost may send for it is not known: smtp.example.com has no public address",
		"dkim ok own.example has keys under mail (RSA 2048)", "dmarc ok own.example asks receivers to refuse", "clock ok this machine's clock agrees")
	if took > time.Second {
		t.Errorf("took %s, want under a second", took)
	}
	greets.Clock = -7 * time.Minute
	lines, _ = checked(t, greets, "")
	expect(t, "no sender, another time", lines,
		"spf skip no sender given", "dkim skip no sender given", "dmarc skip no sender given", "clock warn this machine's clock is 7 minutes ahead of the smarthost's")
}

// TestCheckSenderWithoutServers has the questions skipped where only the
// operating system knows whom to ask.
func TestCheckSenderWithoutServers(t *testing.T) {
	conf := t.TempDir() + "/resolv.conf"
	if err := os.WriteFile(conf, []byte("nameserver nobody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := upstream.New(upstream.Options{ResolvConf: conf})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Resolvers(); len(got) > 0 {
		t.Fatalf("got the servers %q, want none", got)
	}
	p := probe.New(probe.Options{Connector: c})
	for _, step := range []string{"spf", "dkim", "dmarc"} {
		lines, _ := p.TakeStep(t.Context(), step, probe.Known{Host: host}, probe.Wanted{Script: probe.Script{From: "me@own.example"}})
		if len(lines) != 1 || lines[0].Status != probe.StatusSkip || !strings.Contains(lines[0].Text, "--resolver") {
			t.Errorf("%s: got %+v, want it skipped with a way out", step, lines)
		}
	}
}
