package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// What differs each time is no change; what a person would act on is.
func TestMeaning(t *testing.T) {
	ok := func(step, text string) probe.Line { return probe.Line{Step: step, Status: probe.StatusOK, Text: text} }
	fail := func(step, text string) probe.Line {
		return probe.Line{Step: step, Status: probe.StatusFail, Text: text}
	}
	for _, test := range []struct {
		a, b probe.Line
		same bool
	}{
		{ok("tcp", "answers, round trip 12ms"), ok("tcp", "answers, round trip 98 ms"), true},
		{ok("dns", "mx is 192.0.2.1, 192.0.2.2 (A in 3ms, good for 60s)"), ok("dns", "mx is 192.0.2.2, 192.0.2.1 (A in 11 ms, good for 42s)"), true},
		{ok("dns", "mx is 192.0.2.1 (A in less than 1ms)"), ok("dns", "mx is 192.0.2.1 (A in 12ms)"), true},
		{ok("versions", "TLS 1.3: prefers TLS_AES_128_GCM_SHA256"), ok("versions", "TLS 1.3: prefers TLS_AES_256_GCM_SHA384"), false},
		{fail("rcpt", "451 4.7.1 greylisted 4bXkz11rQpz9vhh"), fail("rcpt", "451 4.7.1 greylisted 4bXl020mnTz9vhj"), true},
		{ok("dns", "mx is 192.0.2.1"), ok("dns", "mx is 192.0.2.9"), false},
		{ok("dns", "mx is 2001:db8::12ab"), ok("dns", "mx is 2001:db8::34cd"), false},
		{ok("certificate", "for a, 90 days left, trusted"), ok("certificate", "for a, 89 days left, trusted"), true},
		{ok("certificate", "for a, until 2026-11-20"), ok("certificate", "for a, until 2027-02-20"), false},
		{ok("greeting", "220 mx.google.com ESMTP 5b1f17b1804b1-gsmtp"), ok("greeting", "220 mx.google.com ESMTP a640c23a62f3a-gsmtp"), true},
		{ok("ehlo", "PIPELINING, SIZE 1000"), ok("ehlo", "PIPELINING"), false},
		{ok("auth", "on offer: PLAIN"), probe.Line{Step: "auth", Status: probe.StatusWarn, Text: "on offer: PLAIN"}, false},
		{fail("greeting", "421 4.7.0 busy"), fail("greeting", "554 5.7.1 blocked"), false},
	} {
		if got := meaning(test.a) == meaning(test.b); got != test.same {
			t.Errorf("%s: %q and %q: got same %v (%q, %q), want %v", test.a.Step, test.a.Text, test.b.Text, got, meaning(test.a), meaning(test.b), test.same)
		}
	}
}

// The lines of one step are a set; a step that was not reached is no change.
func TestChangedRungs(t *testing.T) {
	round := func(lines ...probe.Line) *examined { return &examined{report: probe.Report{Lines: lines}} }
	rung := func(step, text string, s probe.Status) probe.Line {
		return probe.Line{Step: step, Status: s, Text: text}
	}
	before := round(rung("dns", "one", "ok"), rung("dns", "two", "ok"), rung("tls", "1.3", "ok"), rung("auth", "in", "ok"))
	if got := changedRungs(before, round(rung("dns", "two", "ok"), rung("dns", "one", "ok"), rung("tls", "1.3", "ok"))); len(got) != 0 {
		t.Errorf("turned round: got %v, want no change", got)
	}
	got := changedRungs(before, round(rung("dns", "two", "ok"), rung("dns", "three", "ok"), rung("tls", "none", "fail")))
	if len(got) != 2 || got[0].now.Text != "three" || len(got[0].was) != 1 || got[0].was[0].Text != "one" || got[1].now.Step != "tls" {
		t.Errorf("got %+v, want three for one, and tls", got)
	}
}

// What an outage hides is no change, neither when it goes nor when it is back.
func TestChangedRungsAroundAnOutage(t *testing.T) {
	rung := func(step, text string, s probe.Status) probe.Line {
		return probe.Line{Step: step, Status: s, Text: text}
	}
	well := []probe.Line{rung("connect", "there", "ok"), rung("tls", "1.3", "ok"), rung("clock", "right", "ok")}
	first := &examined{report: probe.Report{Lines: well}}
	down := &examined{earlier: first.standing(), report: probe.Report{Lines: []probe.Line{
		rung("connect", "refused", "fail"), rung("tls", "no connection", "skip"), rung("clock", "nothing said", "skip")}}}
	still := &examined{earlier: down.standing(), report: down.report}
	back := &examined{report: probe.Report{Lines: append(well[:2:2], rung("clock", "late", "warn"))}}
	for _, test := range []struct {
		name        string
		before, now *examined
		want        string
	}{
		{"it goes", first, down, "connect"},
		{"it is away", down, still, ""},
		{"it is back", still, back, "connect clock"},
	} {
		var got []string
		for _, c := range changedRungs(test.before, test.now) {
			got = append(got, c.now.Step)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: got changes of %q, want %q", test.name, got, test.want)
		}
	}
}

// What a peer says drives no terminal; a status is a word and not only a
// colour, and a long text stays in its column.
func TestRung(t *testing.T) {
	for _, test := range []struct {
		rung  probe.Line
		width int
		want  string
	}{
		{probe.Line{Step: "greeting", Status: probe.StatusOK, Text: "220 \x1b[31mhi\n", Took: 12 * time.Millisecond}, 0,
			"   ok    greeting       12 ms  220 \\x1b[31mhi\\n\n"},
		{probe.Line{Step: "certificate", Status: probe.StatusFail, Text: "expired"}, 0, "** FAIL  certificate           expired\n"},
		{probe.Line{Step: "spf", Status: probe.StatusWarn, Text: ""}, 0, "!  warn  spf\n"},
		{probe.Line{Step: "dnsbl", Status: probe.StatusSkip, Text: "one two three four five six seven"}, 60,
			"-  skip  dnsbl                 one two three four five six\n" + strings.Repeat(" ", rungText) + "seven\n"},
	} {
		var b strings.Builder
		ladder{transcript{screen: screen{width: test.width}}}.rung(&b, test.rung)
		if b.String() != test.want {
			t.Errorf("%+v: got\n%q, want\n%q", test.rung, b.String(), test.want)
		}
	}
}

// A later round says what is new, what is gone and what it was; nothing when
// nothing has changed.
func TestAgain(t *testing.T) {
	host := &examinee{target: upstream.Target{Name: "mx:25"}}
	good := &examined{examinee: host, report: probe.Report{Lines: []probe.Line{{Step: "certificate", Status: probe.StatusOK, Text: "trusted"}}}}
	bad := &examined{examinee: host, report: probe.Report{Lines: []probe.Line{{Step: "certificate", Status: probe.StatusFail, Text: "expired"}}},
		findings: []inspect.Finding{{Cause: "tls.certificate-expired", Title: "it is over"}}}
	for _, test := range []struct {
		name        string
		before, now *examined
		want, not   []string
	}{
		{"nothing", good, good, nil, []string{"mx"}},
		{"still", bad, bad, nil, []string{"mx"}},
		{"worse", good, bad, []string{"FAIL  certificate", "was ok: trusted", "tls.certificate-expired  it is over", "not fit"}, []string{"gone"}},
		{"better", bad, good, []string{"ok    certificate", "was fail: expired", "gone  tls.certificate-expired", "is fit for mail"}, nil},
	} {
		var b bytes.Buffer
		if err := (ladder{transcript{screen: screen{out: &b, zone: time.UTC}, now: time.Now}}).again(test.before, test.now); err != nil {
			t.Fatal(err)
		}
		for _, text := range test.want {
			if !strings.Contains(b.String(), text) {
				t.Errorf("%s: got\n%s\nwant %q in it", test.name, b.String(), text)
			}
		}
		for _, text := range test.not {
			if strings.Contains(b.String(), text) {
				t.Errorf("%s: got\n%s\nwant no %q", test.name, b.String(), text)
			}
		}
		var objects bytes.Buffer
		if err := (jsonReport{jsonLines(&objects)}).again(test.before, test.now); err != nil {
			t.Fatal(err)
		}
		if got, want := objects.Len() > 0, test.want != nil; got != want {
			t.Errorf("%s: got an object: %v, want %v: %s", test.name, got, want, objects.String())
		}
	}
}
