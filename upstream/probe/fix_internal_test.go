package probe

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

func TestSlipsBetween(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"smtp.gmail.com", "smtp.gmail.com", 0},
		{"smtp.gmial.com", "smtp.gmail.com", 1},
		{"smtp.gmail.con", "smtp.gmail.com", 1},
		{"smpt", "smtp", 1},
		{"stmp", "smtp", 1},
		{"smtp.gmai.com", "smtp.gmail.com", 1},
		{"smtpp.gmaill.com", "smtp.gmail.com", 2},
		{"", "smtp", 4},
	} {
		if got := slipsBetween(test.a, test.b); got != test.want {
			t.Errorf("%q to %q: got %d, want %d", test.a, test.b, got, test.want)
		}
		if got := slipsBetween(test.b, test.a); got != test.want {
			t.Errorf("%q to %q: got %d, want %d", test.b, test.a, got, test.want)
		}
	}
}

// seen is an outcome of which some things are known.
func seen(t *testing.T, address, failed string, entries ...session.Entry) outcome {
	t.Helper()
	target, err := upstream.ParseTarget(address, upstream.ModeAuto)
	if err != nil {
		t.Fatal(err)
	}
	began := settings{target: target}
	return outcome{settings: began, began: began, stage: stageConnect, failed: failed, entries: entries}
}

func opened(addr string) session.Entry {
	return session.Entry{Kind: session.KindOpen, Leg: session.Upstream, Dial: &session.Dial{Addr: addr, Local: "192.0.2.77:40000"}}
}

func lookedUp(answers ...string) session.Entry {
	return session.Entry{Leg: session.Upstream, Lookup: &session.Lookup{Answers: answers}}
}

// TestOtherAddrs wants the other family first where one is ill, as IPv6 is
// where nobody has given the machine a name.
func TestOtherAddrs(t *testing.T) {
	at := seen(t, "smtp.example.com:587", partGreeting,
		lookedUp("2001:db8::1", "2001:db8::2"), lookedUp("192.0.2.1", "192.0.2.2"), opened("[2001:db8::1]:587"))
	var got []string
	for _, next := range otherAddrs(t.Context(), nil, at) {
		got = append(got, next.addr.String())
	}
	if want := []string{"192.0.2.1", "192.0.2.2", "2001:db8::2"}; !slices.Equal(got, want) {
		t.Errorf("beside 2001:db8::1 got %q, want %q", got, want)
	}
	s := &search{base: at}
	single := seen(t, "smtp.example.com:587", partGreeting, lookedUp("2001:db8::1"), lookedUp("192.0.2.1"), opened("[2001:db8::1]:587"))
	s.base, single.addr = single, netip.MustParseAddr("192.0.2.1")
	if got, want := s.words(single), `use its IPv4 address alone: put the line "192.0.2.1 smtp.example.com" into the hosts file`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOtherNames reads names that a hostile peer has chosen.
func TestOtherNames(t *testing.T) {
	names := []string{
		"*.example.com", "192.0.2.1", "smtp.example.com", "a b.example.com", "under_score.example.com", "localhost",
		"user@mail.example.com", strings.Repeat("x", 300) + ".example.com", "new\r\nline.example.com",
		"MX1.example.com", "mx2.example.com", "mx3.example.com", "mx4.example.com", "mx5.example.com",
	}
	at := seen(t, "smtp.example.com:587", partCertificate, session.Entry{
		Kind: session.KindTLS, Leg: session.Upstream, Fault: &session.Fault{Class: session.FaultCertificate},
		TLS: &session.TLS{Verify: session.VerifyName, Chain: []session.Certificate{{Names: names}}},
	})
	got := at.otherNames()
	if want := []string{"mx1.example.com", "mx2.example.com", "mx3.example.com", "mx4.example.com"}; !slices.Equal(got, want) {
		t.Errorf("of %q got %q, want %q", names, got, want)
	}
}

// TestProposalsBounded has far more to try than a smarthost should bear.
func TestProposalsBounded(t *testing.T) {
	var ports []int
	for port := 2000; port < 2100; port++ {
		ports = append(ports, port)
	}
	s := &search{prober: New(Options{OtherPorts: ports}), left: maxTrials, seen: map[settings]bool{}}
	s.base = seen(t, "smtp.example.com:587", partGreeting, lookedUp("192.0.2.1"), opened("192.0.2.1:587"))
	s.base.stage = stageConnect
	first := s.proposals(t.Context(), s.base)
	if len(first) != maxTrials {
		t.Errorf("got %d proposals of %d ports, want %d", len(first), len(ports), maxTrials)
	}
	if more := s.proposals(t.Context(), s.base); len(more) > 0 {
		t.Errorf("got %d more proposals, want none", len(more))
	}
}

// TestRemedies wants each remedy to have a place of its own in the order.
func TestRemedies(t *testing.T) {
	var costs []int
	for _, r := range (remedies{}).all() {
		if r.propose == nil && r.advise == nil {
			t.Errorf("the remedy of cost %d does nothing", r.cost)
		}
		costs = append(costs, r.cost)
	}
	if want := []int{10, 20, 30, 40, 45, 50, 60, 70, 75, 80, 90, 100}; !slices.Equal(costs, want) {
		t.Errorf("got costs %v, want %v", costs, want)
	}
}

// TestSpent wants no second sign-in, and none where the first cannot be known
// not to have been.
func TestSpent(t *testing.T) {
	hello := session.Entry{Kind: session.KindCommand, Verb: "EHLO", Text: "EHLO box"}
	for name, test := range map[string]struct {
		dialogue []session.Entry
		want     bool
	}{
		"no dialogue":    {nil, true},
		"no sign-in":     {[]session.Entry{hello}, false},
		"AUTH was said":  {[]session.Entry{hello, {Kind: session.KindCommand, Verb: "AUTH"}}, true},
		"in an exchange": {[]session.Entry{hello, {Kind: session.KindAuth}}, true},
	} {
		s := &search{want: Search{Before: Report{Dialogue: test.dialogue}}}
		s.base.entries = test.dialogue
		if got := s.spent(); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

// TestOAuthOnly advises a token where no mechanism on offer takes a password,
// whether this program knows that one or not.
func TestOAuthOnly(t *testing.T) {
	for offer, want := range map[string]bool{
		"XOAUTH2": true, "XOAUTH2 OAUTHBEARER GSSAPI": true,
		"PLAIN XOAUTH2": false, "SCRAM-SHA-256 XOAUTH2": false, "NTLM XOAUTH2": false, "GSSAPI": false,
	} {
		s := &search{want: Search{Script: Script{User: "me@example.com", Password: "correct-horse"}}}
		at := seen(t, "smtp.example.com:587", "")
		at.offered = strings.Fields(offer)
		if o, got := oauthOnly(t.Context(), s, at); got != want {
			t.Errorf("of %s: advised %q, want advice: %v", offer, o.advised, want)
		}
	}
}

// TestStage reads how far sessions came.
func TestStage(t *testing.T) {
	up := func(kind session.Kind, verb string, code int, text string) session.Entry {
		return session.Entry{Kind: kind, Leg: session.Upstream, From: session.FromUpstream, Verb: verb, Code: code, Text: text}
	}
	greeting := up(session.KindGreeting, "", 220, "220 mail.example.com")
	ehlo := up(session.KindReply, "EHLO", 250, "250-mail.example.com\n250 AUTH PLAIN LOGIN")
	shook := func(f *session.Fault) session.Entry {
		return session.Entry{Kind: session.KindTLS, Leg: session.Upstream, From: session.FromProxy, TLS: &session.TLS{}, Fault: f}
	}
	open := opened("192.0.2.1:587")
	for _, test := range []struct {
		entries []session.Entry
		stage   string
		mode    upstream.Mode
		offered string
	}{
		{nil, "", upstream.ModeNone, "[]"},
		{[]session.Entry{lookedUp("192.0.2.1")}, "dns", upstream.ModeNone, "[]"},
		{[]session.Entry{open}, "connect", upstream.ModeNone, "[]"},
		{[]session.Entry{open, greeting}, "greeting", upstream.ModeNone, "[]"},
		{[]session.Entry{open, greeting, ehlo}, "auth-offered", upstream.ModeNone, "[PLAIN LOGIN]"},
		{[]session.Entry{open, greeting, up(session.KindReply, "EHLO", 250, "250 mail.example.com")}, "ehlo", upstream.ModeNone, "[]"},
		{[]session.Entry{open, greeting, up(session.KindReply, "STARTTLS", 220, "220 go"), shook(&session.Fault{Class: session.FaultCertificate})}, "tls", upstream.ModeSTARTTLS, "[]"},
		{[]session.Entry{open, greeting, ehlo, shook(nil)}, "certificate", upstream.ModeSTARTTLS, "[]"},
		{[]session.Entry{open, shook(nil), greeting, ehlo}, "auth-offered", upstream.ModeImplicit, "[PLAIN LOGIN]"},
		{[]session.Entry{open, shook(nil), greeting, ehlo, up(session.KindReply, "AUTH", 235, "235 ok")}, "auth", upstream.ModeImplicit, "[PLAIN LOGIN]"},
		{[]session.Entry{open, greeting, ehlo, up(session.KindReply, "MAIL", 250, "250 ok")}, "mail", upstream.ModeNone, "[PLAIN LOGIN]"},
	} {
		o := outcome{entries: test.entries}
		o.read()
		got := []string{o.stage.String(), string(o.target.Mode), fmt.Sprint(o.offered)}
		if want := []string{test.stage, string(test.mode), test.offered}; !slices.Equal(got, want) {
			t.Errorf("%d entries: got %q, want %q", len(test.entries), got, want)
		}
	}
}
