package probe_test

import (
	"testing"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream/probe"
)

func TestMXStep(t *testing.T) {
	w := newWorld(t, settings{})
	d := w.dns
	d.MX("example.com", "20 b.mx.example.com.", "10 a.mx.example.com.")
	d.A("a.mx.example.com", "192.0.2.1")
	d.AAAA("b.mx.example.com", "2001:db8::2")
	d.A("smtp.example.com", "192.0.2.3")
	d.CNAME("mail.example.com", "a.mx.example.com")
	d.MX("closed.example", "0 .")
	d.MX("odd.example", "10 .", "20 192.0.2.9.", "30 alias.odd.example.", "40 gone.odd.example.", "50 a.mx.example.com.")
	d.CNAME("alias.odd.example", "a.mx.example.com")
	d.MX("lost.example", "10 gone.lost.example.")
	d.A("plain.example", "192.0.2.4")
	d.MX("xn--bcher-kva.example", "10 a.mx.example.com.")
	d.TXT("bare.example", "v=spf1 -all")
	d.Trouble("broken.example", testenv.Servfail)
	d.A("smtp.broken.example", "192.0.2.5")
	const mere = "ok smtp.example.com is a smarthost and no mail exchanger: that of example.com is a.mx.example.com"
	for _, x := range []struct {
		host, to string
		want     []string
	}{
		{"smtp.example.com", "", []string{mere}},
		{"a.mx.example.com", "", []string{"ok a.mx.example.com is a mail exchanger of example.com: a.mx.example.com (10) and b.mx.example.com (20)"}},
		{"mail.example.com", "", []string{"ok a.mx.example.com is a mail exchanger of example.com"}},
		{"192.0.2.1", "me@example.com", []string{"ok a.mx.example.com is a mail exchanger of example.com"}},
		{"192.0.2.7", "", []string{"skip 192.0.2.7 is no name in a domain"}},
		{"smtp.example.com", "me@Example.com.", []string{"ok mail for example.com goes on to a.mx.example.com (10) and b", "ok smtp.example.com is a smarthost: as far as"}},
		{"smtp.example.com", "me@closed.example", []string{"warn closed.example declares that it takes no mail", mere}},
		{"smtp.example.com", "me@nowhere.example", []string{"warn nowhere.example has neither…NXDOMAIN", mere}},
		{"smtp.example.com", "me@bare.example", []string{"warn bare.example has neither…no MX record", mere}},
		{"smtp.example.com", "me@lost.example", []string{"warn no mail exchanger of lost.example has an address…gone.lost.example (10)",
			"warn the mail exchanger gone.lost.example of lost.example has no address", mere}},
		{"smtp.example.com", "me@plain.example", []string{"ok mail for plain.example goes to its own address", mere}},
		{"smtp.example.com", "me@Bücher.example", []string{"ok mail for xn--bcher-kva.example goes on to a.mx.example.com (10)", mere}},
		{"smtp.example.com", "me@broken.example", []string{"warn where mail for broken.example goes is not known…SERVFAIL", mere}},
		{"smtp.broken.example", "", []string{"warn whether smtp.broken.example is a mail exchanger is not known…broken.example…SERVFAIL"}},
		{"smtp.example.com", "me@[192.0.2.1]", []string{mere}},
		{"smtp.example.com", "me@odd.example", []string{"ok mail for odd.example goes on to . (10), 192.0.2.9 (20)",
			"warn odd.example has a null MX beside others", "warn the mail exchanger 192.0.2.9 of odd.example is an address",
			"warn the mail exchanger alias.odd.example of odd.example is an alias of a.mx.example.com",
			"warn the mail exchanger gone.odd.example of odd.example has no address", mere}},
	} {
		wanted := probe.Wanted{Script: probe.Script{From: "me@example.com", To: x.to}}
		expect(t, x.host+" to "+x.to, w.ladder(t, at(x.host, 25), wanted, "mx"), x.want...)
	}
}

// TestMXAnswer has the answer name the cause where mail for the recipient
// cannot arrive, and none for what is odd elsewhere.
func TestMXAnswer(t *testing.T) {
	w := newWorld(t, settings{})
	w.dns.MX("closed.example", "0 .")
	w.dns.MX("lost.example", "10 gone.lost.example.")
	w.dns.A("plain.example", "192.0.2.4")
	w.dns.Trouble("broken.example", testenv.Servfail)
	for to, want := range map[string]string{
		"me@closed.example":  "fail recipient.domain-accepts-no-mail",
		"me@nowhere.example": "fail recipient.domain-not-found",
		"me@lost.example":    "fail recipient.domain-not-found",
		"me@plain.example":   "ok ",
		"me@broken.example":  "ok ",
		"":                   "ok ",
	} {
		wanted := probe.Wanted{Steps: []string{"mx"}, Script: probe.Script{To: to}}
		r := w.Check(t.Context(), at("smtp.closed.example", 25), wanted, func(probe.Line) {})
		last := r.Answers[len(r.Answers)-1].Probe
		if got := last.Result + " " + last.Cause; last.Name != "mx" || got != want {
			t.Errorf("to %q: %s %q, want %q", to, last.Name, got, want)
		}
	}
}
