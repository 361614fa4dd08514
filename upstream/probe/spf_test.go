package probe_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream/probe"
)

// addrs parses addresses.
func addrs(list ...string) (parsed []netip.Addr) {
	for _, a := range list {
		parsed = append(parsed, netip.MustParseAddr(a))
	}
	return parsed
}

// takes returns the lines of one step, each as "warn text", and its answer.
func (w *world) takes(t *testing.T, step string, k probe.Known, from string) ([]string, session.Entry) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var lines []string
	list, answers := w.TakeStep(ctx, step, k, probe.Wanted{Script: probe.Script{From: from}})
	for _, l := range list {
		lines = append(lines, string(l.Status)+" "+l.Text)
	}
	if len(answers) > 1 {
		t.Errorf("%s of %s: %d answers, want one at most", step, from, len(answers))
	}
	return lines, append(answers, session.Entry{Probe: &session.Probe{}})[0]
}

// spfWorld has the records of some domains and of two providers.
func spfWorld(t *testing.T) *world {
	w := newWorld(t, settings{})
	for name, text := range map[string]string{
		"_spf.google.com":       "v=spf1 include:_netblocks.google.com ~all",
		"_netblocks.google.com": "v=spf1 ip4:198.51.100.0/24 ip4:192.0.2.128/25 ~all",
		"google.example":        "v=spf1 include:_spf.google.com ~all",
		"flat.example":          "v=spf1 ip4:198.51.100.0/22 ip4:192.0.2.0/24 -all",
		"half.example":          "v=spf1 ip4:198.51.100.0/24 -all",
		"other.example":         "v=spf1 include:other.example.net ?all",
		"other.example.net":     "v=spf1 ip4:203.0.113.0/24 -all",
		"own.example":           "v=spf1 a:mail.own.example mx ip6:2001:db8::/32 -all",
		"via.example":           "v=spf1 redirect=own.example",
		"open.example":          "v=spf1 mx +all",
		"loose.example":         "v=spf1 mx",
		"typo.example":          "v=spf1 ipv4:192.0.2.1 -all",
		"lost.example":          "v=spf1 include:nowhere.example -all",
		"void.example":          "v=spf1 a:v1.example a:v2.example a:v3.example -all",
		"macro.example":         "v=spf1 exists:%{ir}.%{l}.spf.macro.example -all",
		"loop.example":          "v=spf1 include:loop.example -all",
		"long.example":          "v=spf1 include:l1.example include:l2.example -all",
		"near.example":          "v=spf1 include:l1.example a:mail.own.example a:mail.own.example a:mail.own.example -all",
	} {
		w.dns.TXT(name, text)
	}
	for _, name := range []string{"l1.example", "l2.example"} {
		w.dns.TXT(name, "v=spf1"+strings.Repeat(" a:mail.own.example", 5)+" ~all")
	}
	w.dns.TXT("twice.example", "v=spf1 mx -all")
	w.dns.TXT("twice.example", "v=spf1 ip4:192.0.2.1 -all")
	w.dns.TXT("bare.example", "google-site-verification=x")
	w.dns.A("mail.own.example", "192.0.2.1")
	w.dns.MX("own.example", "10 mail.own.example.")
	w.dns.MX("loose.example", "10 mail.own.example.")
	w.dns.A("1.2.0.192.app.spf.macro.example", "127.0.0.2")
	w.dns.Trouble("broken.example", testenv.Servfail)
	return w
}

// TestSPFOfRecord has what is said of the record alone.
func TestSPFOfRecord(t *testing.T) {
	w := spfWorld(t)
	const unknown = "skip whether the smarthost may send for it is not known: smtp.example has no public address"
	for from, want := range map[string][]string{
		"a@own.example":     {`ok own.example publishes "v=spf1 a:mail.own.example mx ip6:2001:db8::/32 -all": what it does not name gets fail`, unknown},
		"a@via.example":     {`ok via.example publishes "v=spf1 redirect=own.example": what it does not name gets fail`, unknown},
		"a@OWN.example.":    {"ok own.example publishes", unknown},
		"a@loose.example":   {"ok …gets neutral", unknown},
		"a@bare.example":    {`warn bare.example has no SPF record…publish "v=spf1 a:smtp.example ~all"`},
		"a@nowhere.example": {"warn nowhere.example has no SPF record"},
		"a@broken.example":  {"skip the SPF record of broken.example could not be had…SERVFAIL"},
		"a@open.example":    {"warn …lets everybody send in its name, by +all", unknown},
		"a@typo.example":    {"warn …broken (permerror): ipv4:192.0.2.1: unknown field", unknown},
		"a@twice.example":   {"warn …broken (permerror): it has more than one SPF record", unknown},
		"a@lost.example":    {"warn …broken (permerror): include:nowhere.example leads to a domain without an SPF record", unknown},
		"a@void.example":    {"warn …broken (permerror): more than two of its terms name what does not exist", unknown},
		"a@loop.example":    {"warn …broken (permerror): it takes more look-ups than the 10 allowed, without end", unknown},
		"a@long.example":    {"warn …broken (permerror): it takes 12 look-ups, 10 are allowed", unknown},
		"a@near.example":    {"ok …gets fail (it takes 9 of the 10 look-ups that are allowed)", unknown},
		"":                  {"skip no sender given (--from)"},
		"a@localhost":       {"skip a@localhost has no domain that the DNS could know"},
		"a@[192.0.2.1]":     {"skip a@[192.0.2.1] has no domain"},
		"a@b c.example":     {"skip a@b c.example has no domain"},
	} {
		lines, _ := w.takes(t, "spf", probe.Known{Host: "smtp.example"}, from)
		expect(t, "--from "+from, lines, want...)
	}
}

// TestSPFOfProvider has the smarthosts of providers, whose addresses a domain
// may name in one form or another.
func TestSPFOfProvider(t *testing.T) {
	w := spfWorld(t)
	for _, test := range []struct{ host, from, want, result string }{
		{"smtp.gmail.com", "a@google.example", "ok Google may send for it: pass by include:_spf.google.com -> include:_netblocks.google.com -> ip4:192.0.2.128/25", "ok"},
		{"smtp.gmail.com", "a@flat.example", "ok Google may send for it: pass by ip4:", "ok"},
		{"smtp.gmail.com", "a@half.example", "warn Google may not send for it (fail by -all): add include:_spf.google.com", "fail sender.spf-failed"},
		{"smtp.gmail.com", "a@other.example", "warn Google may not send for it (neutral by ?all): add include:_spf.google.com", "fail sender.spf-failed"},
		{"smtp.sendgrid.net", "a@other.example", "ok SendGrid has bounces come to itself, so SPF is asked of the domain in its return path; for other.example it is DKIM", "ok"},
		{"smtp.office365.com", "a@other.example", "skip whether Microsoft 365 may send for it is not known", "ok"},
	} {
		lines, answer := w.takes(t, "spf", probe.Known{Host: test.host}, test.from)
		expect(t, test.host+" "+test.from, lines, "ok ", test.want)
		if got := strings.TrimSpace(answer.Probe.Result + " " + answer.Probe.Cause); got != test.result {
			t.Errorf("%s %s: answer %q, want %q", test.host, test.from, got, test.result)
		}
	}
}

// TestSPFOfAddresses has smarthosts of nobody in particular, and this machine's
// address.
func TestSPFOfAddresses(t *testing.T) {
	w := spfWorld(t)
	const machine = "203.0.113.5"
	for _, test := range []struct {
		name, from string
		known      probe.Known
		want       []string
	}{
		{"its own", "a@own.example", probe.Known{Addrs: addrs("192.0.2.1", "127.0.0.1"), Egress: addrs(machine)[0]}, []string{
			"ok the smarthost, 192.0.2.1, may send for it: pass by a:mail.own.example",
			"ok this machine, 203.0.113.5: fail by -all (does not count where the smarthost delivers)",
		}},
		{"by redirect", "a@via.example", probe.Known{Addrs: addrs("192.0.2.1")}, []string{
			"ok the smarthost, 192.0.2.1, may send for it: pass by redirect=own.example -> a:mail.own.example",
		}},
		{"IPv6", "a@own.example", probe.Known{Addrs: addrs("2001:db8::1", "2001:db9::1")}, []string{
			"ok the smarthost, 2001:db8::1, may send for it: pass by ip6:2001:db8::/32",
			"warn the smarthost, 2001:db9::1, may not send for it (fail by -all)",
		}},
		{"a macro", "app@macro.example", probe.Known{Addrs: addrs("192.0.2.1", "192.0.2.2")}, []string{
			"ok …192.0.2.1, may send for it: pass by exists:%{ir}.%{l}.spf.macro.example",
			"warn …192.0.2.2, may not send for it (fail by -all)",
		}},
		{"another", "a@own.example", probe.Known{Addrs: addrs("198.51.100.1")}, []string{
			"warn the smarthost, 198.51.100.1, may not send for it (fail by -all): put the addresses",
		}},
		{"nothing decides", "a@loose.example", probe.Known{Addrs: addrs("198.51.100.1")}, []string{
			`warn …(neutral by no term matches, and there is no "all")`,
		}},
		{"direct and allowed", "a@other.example", probe.Known{Port: 25, MailFor: []string{"example"}, Egress: addrs(machine)[0]}, []string{
			"ok this machine, 203.0.113.5: pass by include:other.example.net -> ip4:203.0.113.0/24",
		}},
		{"direct and refused", "a@own.example", probe.Known{Port: 25, MailFor: []string{"example"}, Egress: addrs(machine)[0]}, []string{
			"warn this machine, 203.0.113.5: fail by -all; smtp.example will take its mail for forged",
		}},
		{"direct and unknown", "a@own.example", probe.Known{Port: 25, MailFor: []string{"example"}}, []string{
			"skip whether this machine may send for it is not known",
		}},
		{"an exchanger that is a smarthost, too", "a@own.example", probe.Known{MailFor: []string{"own.example"}, Addrs: addrs("192.0.2.1"), Egress: addrs(machine)[0]}, []string{
			"ok the smarthost, 192.0.2.1, may send for it", "ok this machine, 203.0.113.5: fail by -all (does not count",
		}},
	} {
		test.known.Host = "smtp.example"
		lines, answer := w.takes(t, "spf", test.known, test.from)
		expect(t, test.name, lines, append([]string{"ok "}, test.want...)...)
		if p := answer.Probe; p.Name != "spf" || p.Target != test.from[strings.IndexByte(test.from, '@')+1:] {
			t.Errorf("%s: answer %s of %s, want spf of the domain of %s", test.name, p.Name, p.Target, test.from)
		}
	}
}

// TestSPFQuestions bounds what hostile records can have a check ask.
func TestSPFQuestions(t *testing.T) {
	w := newWorld(t, settings{})
	for i := range 300 {
		w.dns.TXT(fmt.Sprintf("d%d.example", i), fmt.Sprintf("v=spf1 include:d%d.example include:d%d.example mx:d%d.example", 2*i+1, 2*i+2, i))
		for j := range 10 {
			w.dns.MX(fmt.Sprintf("d%d.example", i), fmt.Sprintf("10 m%d-%d.example.", i, j))
		}
	}
	lines, _ := w.takes(t, "spf", probe.Known{Host: "smtp.example", Addrs: addrs("192.0.2.1", "192.0.2.2")}, "a@d0.example")
	asked := 0
	for i := range 300 {
		asked += w.dns.Asked(fmt.Sprintf("d%d.example", i), 16) + w.dns.Asked(fmt.Sprintf("d%d.example", i), 15)
		for j := range 10 {
			asked += w.dns.Asked(fmt.Sprintf("m%d-%d.example", i, j), 1)
		}
	}
	if asked > 150 || asked < 5 {
		t.Errorf("got %d questions, want 5 to 150; it said %q", asked, lines)
	}
}
