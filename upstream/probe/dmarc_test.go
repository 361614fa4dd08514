package probe_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream/probe"
)

func TestDMARCStep(t *testing.T) {
	w := newWorld(t, settings{})
	for name, text := range map[string]string{
		"_dmarc.strict.example":                       "v=DMARC1; p=reject; adkim=s; aspf=s; rua=mailto:d@strict.example",
		"_dmarc.org.example":                          "v=DMARC1; p=reject; sp=none; rua=mailto:d@reports.org.example",
		"_dmarc.watch.example":                        "v=DMARC1; p=none",
		"_dmarc.part.example":                         "v=DMARC1;p=quarantine;pct=20;t=y",
		"_dmarc.typo.example":                         "v=DMARC1; p=rejct; rua=mailto:d@typo.example",
		"_dmarc.bare.example":                         "v=DMARC1; policy=reject",
		"_dmarc.near.example":                         "v=dmarc1; p=reject",
		"_dmarc.away.example":                         "v=DMARC1; p=reject; rua=mailto:a@agency.example,mailto:b@willing.example!10m",
		"_dmarc.plain.example":                        "v=DMARC1; p=none; rua=d@plain.example",
		"away.example._report._dmarc.willing.example": "v=DMARC1",
		"_dmarc.other.example":                        "some other text",
	} {
		w.dns.TXT(name, text)
	}
	w.dns.TXT("_dmarc.twice.example", "v=DMARC1; p=none")
	w.dns.TXT("_dmarc.twice.example", "v=DMARC1; p=reject")
	w.dns.Trouble("_dmarc.broken.example", testenv.Servfail)
	for from, want := range map[string][]string{
		"a@strict.example":   {"ok strict.example asks receivers to refuse mail that fails (p=reject); mail passes with DKIM of strict.example itself, or SPF of strict.example itself; reports go to d@strict.example"},
		"a@org.example":      {"ok org.example asks receivers to refuse mail that fails (p=reject)…or another domain of its organization"},
		"a@mail.org.example": {"ok mail.org.example asks receivers for reports alone by the record of org.example (p=none)"},
		"a@watch.example":    {"ok …for reports alone (p=none)…nobody gets reports"},
		"a@part.example":     {"ok …to file mail that fails as spam (p=quarantine)…for 20% of the mail; as a test"},
		"a@typo.example":     {"ok …(p=none)", "warn …p=rejct is no policy", "warn …it stands for p=none"},
		"a@bare.example":     {"warn the DMARC record of bare.example has no policy that receivers understand", "warn …take no notice of it", "warn …policy= means nothing"},
		"a@near.example":     {`warn near.example has no DMARC record, and this is none, for it has to begin with v=DMARC1: "v=dmarc1; p=reject"`},
		"a@away.example":     {"ok …reports go to a@agency.example, b@willing.example", "warn reports for away.example will not arrive: agency.example does not say"},
		"a@plain.example":    {"ok …nobody gets reports", "warn …rua=d@plain.example is no URI: write mailto: in front"},
		"a@other.example":    {"warn other.example has no DMARC record: Gmail and Yahoo want one…begin with _dmarc.other.example"},
		"a@x.other.example":  {"warn x.other.example has no DMARC record…begin with _dmarc.other.example"},
		"a@twice.example":    {"warn twice.example has 2 DMARC records, and receivers take no notice of any"},
		"a@broken.example":   {"skip the DMARC record of broken.example could not be had…SERVFAIL"},
		"":                   {"skip no sender given (--from)"},
		"a@[192.0.2.1]":      {"skip a@[192.0.2.1] has no domain"},
	} {
		lines, answer := w.takes(t, "dmarc", probe.Known{}, from)
		expect(t, "--from "+from, lines, want...)
		if status, _, _ := strings.Cut(lines[0], " "); from != "" && strings.Contains(from, ".example") {
			wantResult := map[string]string{"ok": "ok", "warn": "fail", "skip": "skip"}[status]
			if answer.Probe.Name != "dmarc" || answer.Probe.Result != wantResult {
				t.Errorf("--from %s: answer %s %s, want dmarc %s", from, answer.Probe.Name, answer.Probe.Result, wantResult)
			}
		}
	}
}

func TestDMARCRecord(t *testing.T) {
	for text, want := range map[string]struct{ policy, below, faults string }{
		"v=DMARC1; p=reject":                                 {"reject", "reject", ""},
		"v = DMARC1 ;p = Quarantine; sp=NONE;":               {"quarantine", "none", ""},
		"p=reject; v=DMARC1":                                 {"", "", "it does not begin with v=DMARC1"},
		"v=DMARC1; p=reject; p=none":                         {"reject", "reject", "p= stands there twice"},
		"v=DMARC1; p=reject; pct=101":                        {"reject", "reject", "pct=101 is no number from 0 to 100"},
		"v=DMARC1; p=reject; aspf=x":                         {"reject", "reject", "aspf=x is neither r nor s"},
		"v=DMARC1; p=reject; sp=x":                           {"", "", "sp=x is no policy: use none, quarantine or reject; without a valid policy receivers take no notice of it"},
		"v=DMARC1; p=reject; sp=x; rua=mailto:a@example.com": {"none", "none", "sp=x is no policy: use none, quarantine or reject; without a valid policy it stands for p=none"},
		"v=DMARC1; sp=reject":                                {"", "", "without a policy in p= receivers take no notice of it"},
		"v=DMARC1 p=reject":                                  {"", "", "it does not begin with v=DMARC1"},
		"v=DMARC1; p=reject; reject":                         {"reject", "reject", `"reject" is no tag=value`},
		"v=DMARC1; rua=mailto:a@example.com":                 {"none", "none", "without a policy in p= it stands for p=none"},
		"v=DMARC1; p=reject; np=reject; psd=n":               {"reject", "reject", ""},
		"v=DMARC1; p=none; rua=https://r.example":            {"none", "none", ""},
	} {
		policy, below, _, faults := probe.PolicyOf(text)
		if policy != want.policy || below != want.below || strings.Join(faults, "; ") != want.faults {
			t.Errorf("%q: got %q %q %q, want %q %q %q", text, policy, below, faults, want.policy, want.below, want.faults)
		}
	}
}

// FuzzTags promises that what was read can be written and read again, and that
// all of it stands in the record.
func FuzzTags(f *testing.F) {
	for _, text := range []string{"v=DMARC1; p=reject; rua=mailto:a@example.com", "v=DKIM1;k=rsa;p=MII=; n = a note ;", ";;=;a", "a=b=c; a=d"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		pairs, written, faults := probe.TagsOf(text)
		again, _, more := probe.TagsOf(written)
		if !reflect.DeepEqual(pairs, again) || len(more) > 0 {
			t.Errorf("%q: got %q, written %q and read again %q with %q", text, pairs, written, again, more)
		}
		for i, pair := range pairs {
			if !strings.Contains(text, pair[0]) || !strings.Contains(text, pair[1]) {
				t.Errorf("%q: got %q, want what stands there", text, pair)
			}
			if slices.ContainsFunc(pairs[:i], func(other [2]string) bool { return other[0] == pair[0] }) {
				t.Errorf("%q: got %s twice, faults %q", text, pair[0], faults)
			}
		}
	})
}

// FuzzDMARC promises a policy that receivers know, or none and the reason.
func FuzzDMARC(f *testing.F) {
	for _, text := range []string{"v=DMARC1; p=reject", "v=DMARC1; rua=mailto:a@example.com!10m", "v=DMARC1; p=x; pct=%"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		policy, below, reports, faults := probe.PolicyOf(text)
		known := []string{"none", "quarantine", "reject"}
		switch {
		case policy == "" && len(faults) == 0:
			t.Errorf("%q: no policy, and no reason", text)
		case policy != "" && (!slices.Contains(known, policy) || !slices.Contains(known, below)):
			t.Errorf("%q: got the policies %q and %q", text, policy, below)
		}
		for _, to := range reports {
			if to == "" {
				t.Errorf("%q: reports to nobody", text)
			}
		}
	})
}
