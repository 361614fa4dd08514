package probe_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

func TestSender(t *testing.T) {
	w := spfWorld(t)
	w.dns.TXT("_dmarc.own.example", "v=DMARC1; p=reject")
	for _, test := range []struct{ domain, addr, want, cause, text string }{
		{"own.example", "192.0.2.1", "ok spf=pass dmarc=reject", "", "SPF of own.example for 192.0.2.1 is pass by a:mail.own.example; own.example asks receivers to refuse"},
		{"OWN.example.", "2001:db8::5", "ok spf=pass dmarc=reject", "", "SPF of own.example for 2001:db8::5 is pass by ip6:2001:db8::/32"},
		{"own.example", "203.0.113.5", "fail spf=fail dmarc=reject", "sender.spf-failed", "SPF of own.example for 203.0.113.5 is fail by -all"},
		{"google.example", "203.0.113.5", "fail spf=softfail dmarc=absent", "sender.spf-failed", "softfail by ~all; google.example has no DMARC record"},
		{"loose.example", "203.0.113.5", "ok spf=neutral dmarc=absent", "", "neutral"},
		{"bare.example", "203.0.113.5", "fail spf=none dmarc=absent", "sender.unauthenticated", "none: it has no SPF record"},
		{"lost.example", "203.0.113.5", "fail spf=permerror dmarc=absent", "sender.spf-failed", "permerror: include:nowhere.example leads to a domain without"},
		{"broken.example", "203.0.113.5", "skip spf=temperror dmarc=absent", "", "temperror"},
		{"own.example", "", "ok dmarc=reject", "", "own.example asks receivers to refuse"},
		{"own.example", "10.0.0.1", "ok dmarc=reject", "", "own.example asks"},
		{"localhost", "192.0.2.1", "skip", "", "not tested: localhost has no domain"},
		{"a b.example", "192.0.2.1", "skip", "", "not tested: "},
	} {
		addr, _ := netip.ParseAddr(test.addr)
		e := w.Sender(t.Context(), test.domain, addr)
		got := []string{e.Probe.Result}
		for _, found := range e.Probe.Found {
			got = append(got, found.What+"="+found.Result)
		}
		if strings.Join(got, " ") != test.want || e.Probe.Cause != test.cause || e.Probe.Name != "sender" || e.Probe.Target != test.domain {
			t.Errorf("%s %s: got %s %q of %s, want %q %q", test.domain, test.addr, e.Probe.Name, got, e.Probe.Target, test.want, test.cause)
		}
		if !strings.Contains(e.Text, test.text) {
			t.Errorf("%s %s: got %q, want %q in it", test.domain, test.addr, e.Text, test.text)
		}
	}
}

// TestSenderRemembers has a thousand failing sessions ask the DNS once, and
// trouble of the resolver forgotten soon.
func TestSenderRemembers(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w := newWorld(t, settings{options: probe.Options{Now: func() time.Time { return now }}})
	w.dns.TXT("own.example", "v=spf1 ip4:192.0.2.1 -all")
	addr := netip.MustParseAddr("192.0.2.1")
	for i := range 1000 {
		if e := w.Ask(t.Context(), upstream.Target{}, probe.Question{Probe: "sender", Domain: "own.example", Addr: addr}); e.Probe.Cached != (i > 0) || e.Probe.Result != "ok" {
			t.Fatalf("question %d: got %+v", i, e.Probe)
		}
	}
	if asked := w.dns.Asked("own.example", dns.TypeTXT); asked != 1 {
		t.Errorf("the DNS was asked %d times, want once", asked)
	}
	now = now.Add(2 * time.Hour)
	if e := w.Sender(t.Context(), "own.example", addr); e.Probe.Cached {
		t.Error("an answer of two hours ago is still good, want an hour")
	}
}

// TestSenderRepaired has the record repaired that was found wanting: the next
// answers must not deny it for long.
func TestSenderRepaired(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w := newWorld(t, settings{options: probe.Options{Now: func() time.Time { return now }}})
	addr := netip.MustParseAddr("192.0.2.1")
	ask := func(want string) {
		t.Helper()
		if e := w.Sender(t.Context(), "own.example", addr); e.Probe.Found[0].Result != want {
			t.Errorf("at %s: got %+v, want SPF to be %s", now.Format(time.TimeOnly), e.Probe, want)
		}
	}
	ask("none")
	w.dns.TXT("own.example", "v=spf1 ip4:192.0.2.1 -all")
	now = now.Add(4 * time.Minute)
	ask("none")
	now = now.Add(time.Minute)
	ask("pass")
}

// TestSenderLeaves has whoever asks leave at once when nobody waits any more,
// and nothing of that remembered.
func TestSenderLeaves(t *testing.T) {
	w := newWorld(t, settings{})
	w.dns.TXT("own.example", "v=spf1 ip4:192.0.2.1 -all")
	gone, leave := context.WithCancel(t.Context())
	leave()
	addr := netip.MustParseAddr("192.0.2.1")
	if e := w.Sender(gone, "own.example", addr); e.Probe.Result != "skip" {
		t.Errorf("got %+v, want it skipped", e.Probe)
	}
	if e := w.Sender(t.Context(), "own.example", addr); e.Probe.Result != "ok" || e.Probe.Cached {
		t.Errorf("got %+v, want it asked anew", e.Probe)
	}
}

func TestSendersData(t *testing.T) {
	selectors, records, err := probe.LoadSenders("")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, s := range selectors {
		if _, ok := dns.IsDomainName(s); !ok || seen[s] || strings.ToLower(s) != s {
			t.Errorf("selector %q: want a lower-case label, once", s)
		}
		seen[s] = true
	}
	for _, s := range []string{"google", "selector1", "selector2", "s1", "k1", "mandrill", "default"} {
		if !seen[s] {
			t.Errorf("selector %s is missing", s)
		}
	}
	for name, list := range records {
		for _, record := range list {
			if _, ok := dns.IsDomainName(record); !ok || !strings.Contains(record, ".") {
				t.Errorf("%s: %q is no record to include", name, record)
			}
		}
	}
}

func TestSendersDataMistakes(t *testing.T) {
	const good = "[[provider]]\nname = \"Example\"\nhosts = [\".example.com\"]\nspf = [\"spf.example.com\"]\nselectors = [\"s1\"]\nsource = \"https://example.com/\"\n"
	if _, _, err := probe.LoadSenders(good); err != nil {
		t.Fatalf("got %v, want none, for\n%s", err, good)
	}
	for _, test := range []struct{ old, new, want string }{
		{`"Example"`, `""`, "needs name"},
		{"https://", "http://", "needs name"},
		{"spf =", "spf_ =", "unknown key provider.spf_"},
		{`spf = ["spf.example.com"]`, "", "needs spf"},
		{`selectors = ["s1"]`, "", "needs selectors"},
		{"source", "returns = \"app\"\nsource", `returns is "app"`},
		{"[[provider]]", "[[provider", "sender_providers.toml"},
	} {
		text := strings.Replace(good, test.old, test.new, 1)
		if _, _, err := probe.LoadSenders(text); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q, for\n%s", err, test.want, text)
		}
	}
}

// FuzzUnquoted promises to undo what the DNS library does to octets.
func FuzzUnquoted(f *testing.F) {
	for _, text := range []string{`v=spf1 -all`, `a"b\c`, "\x00\xff;", `\065`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 255 {
			return
		}
		wire := append([]byte{byte(len(text))}, text...)
		const root, rest = "\x00", "\x00\x10\x00\x01\x00\x00\x00\x00" // its name; type TXT, class IN, no time to live
		msg := append([]byte(root+rest), byte(len(wire)>>8), byte(len(wire)))
		rr, _, err := dns.UnpackRR(append(msg, wire...), 0)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if got := probe.Unquoted(strings.Join(rr.(*dns.TXT).Txt, "")); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
	})
}
