package diagnose_test

import (
	"strings"
	"testing"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
)

const xbl = "XBL: a hacked machine sends from it; the list says \"see https://elsewhere.example/\"; look up and remove: https://check.spamhaus.org/results/?query=203.0.113.5"

// listedBy is the answer of the blocklists about 203.0.113.5.
func listedBy(result, cause string, parts ...string) session.Entry {
	e := asked("dnsbl", result, cause, parts...)
	e.Probe.Target, e.Text = "203.0.113.5", "203.0.113.5 is looked up"
	return e
}

// A listing names the list, the reason and the page; that there is none is
// said, too.
func TestAnswerOfBlocklists(t *testing.T) {
	greeted := func(text string) *inspect.Session {
		return play(t, "smtp.example.com:587", "open\nU: "+text+"\nclose upstream\nend")
	}
	const named = "554 5.7.1 Service unavailable; Client host [203.0.113.5] blocked using zen.spamhaus.org"
	const unnamed = "554 5.7.1 Your access has been rejected due to the sending MTA's poor reputation"
	runAnswered(t, []answered{
		{"the list that the reply names has it", greeted(named), "dnsbl",
			listedBy("fail", "reputation.ip-blocklisted", "zen.spamhaus.org listed "+xbl, "bl.spamcop.net clear not listed"),
			"reputation.ip-blocklisted", inspect.Certain, "operator",
			[]string{"203.0.113.5 is listed by zen.spamhaus.org (XBL: a hacked machine sends from it", "and not by bl.spamcop.net."},
			"Look 203.0.113.5 up at zen.spamhaus.org, stop what it is listed for, and have it removed: https://check.spamhaus.org/results/?query=203.0.113.5."},
		{"the list that the reply names has it no longer", greeted(named), "dnsbl",
			listedBy("ok", "", "zen.spamhaus.org clear not listed", "bl.spamcop.net clear not listed"),
			"reputation.ip-blocklisted", inspect.Certain, "operator",
			[]string{"none of the lists that answered has 203.0.113.5: zen.spamhaus.org and bl.spamcop.net.", "names zen.spamhaus.org all the same"}, ""},
		{"no list named, and one has it", greeted(unnamed), "dnsbl",
			listedBy("fail", "reputation.ip-blocklisted", "zen.spamhaus.org listed "+xbl),
			"reputation.ip-blocklisted", inspect.Likely, "operator", []string{"The reply names no list"}, "https://check.spamhaus.org/"},
		{"no list named, and one that few heed has it", greeted(unnamed), "dnsbl",
			listedBy("fail", "", "minor.example listed sent spam; look up and remove: https://minor.example/"),
			"reputation.poor", inspect.Certain, "operator", []string{"listed by minor.example (sent spam)"}, "https://minor.example/."},
		{"no list has it", greeted(unnamed), "dnsbl",
			listedBy("ok", "", "zen.spamhaus.org clear not listed", "bl.spamcop.net refused too many questions"),
			"reputation.poor", inspect.Certain, "operator", []string{"none of the lists that answered has 203.0.113.5: zen.spamhaus.org."}, "Look 203.0.113.5 up at talosintelligence.com"},
		{"words of reputation without a reason", greeted("554 5.7.0 blocked [203.0.113.5]"), "dnsbl",
			listedBy("fail", "reputation.ip-blocklisted", "zen.spamhaus.org listed "+xbl),
			"reputation.ip-blocklisted", inspect.Likely, "operator", []string{"203.0.113.5 is on one that many heed"}, "zen.spamhaus.org"},
	})
}

// A check has the lists asked about this machine's address. What they say of it
// is no word about another one that a refusal names: that is asked for, too.
func TestListsOfAnotherAddress(t *testing.T) {
	e := engine(t, diagnose.Options{})
	s := play(t, "smtp.example.com:587", "open\nU: 554 5.7.1 Client host [198.51.100.7] blocked using zen.spamhaus.org\nclose upstream\nend")
	ours := listedBy("ok", "", "zen.spamhaus.org clear not listed")
	ours.Seq = len(s.Events) + 1
	s.Answer(&ours)
	s.Findings = e.Annotate(s)
	if f := s.Findings[0]; f.Cause != "reputation.ip-blocklisted" || strings.Contains(f.Explanation, "203.0.113.5") || strings.Contains(f.Explanation, "all the same") {
		t.Errorf("got %s %q, want nothing concluded from the lists' word on 203.0.113.5", f.Cause, f.Explanation)
	}
	if q := e.Questions(s); len(q) != 1 || q[0].Addr.String() != "198.51.100.7" {
		t.Fatalf("asked %+v, want the lists about 198.51.100.7", q)
	}
	theirs := asked("dnsbl", "fail", "reputation.ip-blocklisted", "zen.spamhaus.org listed "+xbl)
	theirs.Probe.Target, theirs.Seq = "198.51.100.7", len(s.Events)+1
	s.Answer(&theirs)
	if q := e.Questions(s); len(q) > 0 {
		t.Errorf("asked once more: %+v", q)
	}
	s.Findings = e.Annotate(s)
	if f := s.Findings[0]; !strings.Contains(f.Explanation, "198.51.100.7 is listed by zen.spamhaus.org") {
		t.Errorf("got %q, want the listing of 198.51.100.7", f.Explanation)
	}
}

// The lists are asked about the address that the refusal names, and only after
// one that smells of reputation.
func TestBlocklistsAreAskedFor(t *testing.T) {
	e := engine(t, diagnose.Options{})
	for text, want := range map[string]string{
		"554 5.7.1 Client host [203.0.113.5] blocked using zen.spamhaus.org": "dnsbl 203.0.113.5",
		"554 5.7.1 poor reputation": "dnsbl invalid IP",
		"554 5.7.1 Client host [2001:db8::5] blocked using zen.spamhaus.org": "dnsbl 2001:db8::5",
		"554 5.7.1 No":                   "",
		"421 4.3.2 system not accepting": "",
		"554 5.7.1 mail from your country is not accepted here": "",
	} {
		s := play(t, "smtp.example.com:587", "open\nU: "+text+"\nclose upstream\nend")
		s.Findings = e.Annotate(s)
		got := ""
		for _, q := range e.Questions(s) {
			got += q.Probe + " " + q.Addr.String()
		}
		if got != want {
			t.Errorf("%s, %s: asked %q, want %q", text, causes(s.Findings), got, want)
		}
	}
}

// A smarthost on this machine sees no address that a list could have, but may
// pass on what others say of one.
func TestNobodyListsThisMachine(t *testing.T) {
	e := engine(t, diagnose.Options{})
	for text, want := range map[string]string{
		"554 5.7.1 poor reputation":                  "",
		"554 5.7.1 poor reputation of [127.0.0.1]":   "",
		"554 5.7.1 poor reputation of [10.0.0.7]":    "",
		"554 5.7.1 poor reputation of [203.0.113.5]": "dnsbl",
	} {
		s := sessionOf(t, "localhost:25",
			session.Entry{Leg: session.Upstream, Kind: session.KindOpen, Dial: &session.Dial{Addr: "127.0.0.1:25"}},
			session.Entry{Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindGreeting, Phase: session.PhaseGreeting, Code: 554, Text: text})
		s.Findings = e.Annotate(s)
		if got := askedFor(e.Questions(s)); got != want {
			t.Errorf("%s, %s: asked %q, want %q", text, causes(s.Findings), got, want)
		}
	}
}
