package probe_test

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

func opened(local, remote string) session.Entry {
	return session.Entry{Leg: session.Upstream, Kind: session.KindOpen, From: session.FromProxy, Dial: &session.Dial{Local: local, Addr: remote}}
}

// greeting is an EHLO and its reply.
func greeting(name, reply string) []session.Entry {
	return []session.Entry{
		{Leg: session.App, From: session.FromApp, Kind: session.KindCommand, Verb: "EHLO", Text: "EHLO " + name},
		{Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindReply, Verb: "EHLO", Code: 250, Text: reply},
	}
}

func refusal(code int, verb, text string) session.Entry {
	kind := session.KindReply
	if verb == "" {
		kind = session.KindGreeting
	}
	return session.Entry{Leg: session.Upstream, From: session.FromUpstream, Kind: kind, Verb: verb, Code: code, Text: text}
}

// TestGreetedByAddress has the replies to EHLO of the MTAs and providers that
// name the address, and of those that do not.
func TestGreetedByAddress(t *testing.T) {
	tests := []struct{ ehlo, reply, want string }{
		{"app.local", "250-smtp.gmail.com at your service, [203.0.113.5]\n250-SIZE 35882577", ours},
		{"app.local", "250-mx.google.com at your service, [2001:db8::5]\n250 SMTPUTF8", ours6},
		{"app.local", "250-AM0PR01CA0001.outlook.office365.com Hello [203.0.113.5]\n250-SIZE 157286400", ours},
		{"app.local", "250-AM0PR01CA0001.outlook.office365.com Hello [2001:DB8::5]\n250 OK", ours6},
		{"app.local", "250-mail.example.com Hello app.local [203.0.113.5]\n250 HELP", ours},
		{"[10.0.0.5]", "250-mail.example.com Hello [10.0.0.5] [203.0.113.5]\n250 HELP", ours},
		{"[203.0.113.5]", "250-mail.example.com Hello [203.0.113.5] [203.0.113.5]\n250 HELP", ours},
		{"[198.51.100.9]", "250-mail.example.com Hello [198.51.100.9] [203.0.113.5]\n250 HELP", ours},
		{"app.local", "250-mail.example.com Hello host-5.example.net [203.0.113.5], pleased to meet you\n250 HELP", ours},
		{"app.local", "250-mail.example.com Hello app.local [IPv6:2001:db8::5], pleased to meet you", ours6},
		{"app.local", "250-mail.example.com Hello app.local ([203.0.113.5])\n250 8BITMIME", ours},
		{"app.local", "250-[198.51.100.1] Hello app.local [203.0.113.5]", ours},
		{"app.local", "250 mail.example.com Hello app.local [203.0.113.5]", ours},
		{"app.local", "250-mail.example.com Nice to meet you, [203.0.113.5]\r\n250 SIZE", ours},
		{"app.local", "250-mail.example.com Hello 203.0.113.5.", ours},
		// The name that was given, said back, says nothing.
		{"[198.51.100.9]", "250-mail.example.com Hello [198.51.100.9], nice to meet you\n250 SIZE", ""},
		{"[IPv6:2001:db8::9]", "250-mail.example.com Hello [IPv6:2001:db8::9]", ""},
		{"app.local", "250-mail.example.com\n250-PIPELINING\n250 SIZE 10240000", ""},
		{"app.local", "250-[198.51.100.1]\n250 SIZE", ""},
		{"app.local", "250 198.51.100.1", ""},
		{"app.local", "250-mail.example.com\n250-XCLIENT ADDR 203.0.113.5", ""},
		{"app.local", "250-mail.example.com Hello ip-203-0-113-5.example.net\n250 SIZE", ""},
		{"app.local", "250-mail.example.com Hello 203.0.113.5.example.net", ""},
		// Not the internet's.
		{"app.local", "250-mail.example.com Hello localhost [127.0.0.1]", ""},
		{"app.local", "250-mail.example.com Hello app.local [192.168.1.5]", ""},
		{"app.local", "250-mail.example.com Hello app.local [100.64.1.5]", ""},
		{"app.local", "250-mail.example.com Hello app.local [fe80::5]", ""},
		{"app.local", "", ""},
	}
	for _, test := range tests {
		entries := append([]session.Entry{opened("10.0.0.5:40000", "198.51.100.1:587")}, greeting(test.ehlo, test.reply)...)
		got, how := probe.EgressOf(entries)
		if want, _ := netip.ParseAddr(test.want); got != want || how == "" {
			t.Errorf("EHLO %s, %q: got %s (%s), want %q", test.ehlo, test.reply, got, how, test.want)
		}
	}
}

// TestNamedInRefusal has replies of those that refuse by address, and replies
// that name addresses of others.
func TestNamedInRefusal(t *testing.T) {
	tests := []struct {
		code  int
		verb  string
		reply string
		want  string
	}{
		{554, "RCPT", "554 5.7.1 Service unavailable; Client host [203.0.113.5] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/203.0.113.5", ours},
		{550, "MAIL", "550 5.7.1 Service unavailable, Client host [203.0.113.5] blocked using Spamhaus. [AM0EUR02.prod.protection.outlook.com]", ours},
		{550, ".", "550-5.7.1 [203.0.113.5      19] Our system has detected that this message is\n550 5.7.1 likely unsolicited mail", ours},
		{421, ".", "421-4.7.28 [2001:db8::5      15] Our system has detected an unusual rate", ours6},
		{554, "", "554 Your access to this mail system has been rejected, from 203.0.113.5", ours},
		{550, "MAIL", "550 5.7.606 Access denied, banned sending IP [203.0.113.5]", ours},
		{421, "", "421 4.7.0 [TSS04] Messages from 203.0.113.5 temporarily deferred due to user complaints", ours},
		{554, "", "554-gmx.net (mxgmx016) Nemesis ESMTP Service not available\n554-No SMTP service\n554 For explanation visit https://postmaster.gmx.net/en/case?c=hi&i=ip&v=203.0.113.5&r=1M", ours},
		{550, "RCPT", "550 5.7.1 rejected: see https://mxtoolbox.com/?query=203.0.113.5", ours},
		{450, "RCPT", "450 4.7.25 Client host rejected: cannot find your hostname, [203.0.113.5]", ours},
		{550, "RCPT", "550 5.7.1 listed, see http://www.spamcop.net/bl.shtml?203.0.113.5", ours},
		{554, "", "554 5.7.1 rejected: ip=203.0.113.5", ours},
		{550, "RCPT", "550 a=203.0.113.5 is not local", ""},
		{550, "RCPT", "550 host mx.example.net[198.51.100.9] said: 550 Client host [198.51.100.8] blocked", ""},
		{550, "RCPT", "550 Client host [203.0.113.5] and client host [203.0.113.6] blocked", ""},
		{550, "RCPT", "550 5.1.8 sender domain resolves to 203.0.113.80", ""},
		{550, "RCPT", "550 IP 198.51.100.1 does not relay", ""}, // the smarthost itself
		{550, "RCPT", "550 IP 127.0.0.1 refused", ""},
		{250, "RCPT", "250 Client host [203.0.113.5] welcome", ""},
		{550, "RCPT", "550 5.7.1 No", ""},
	}
	for _, test := range tests {
		got, how := probe.EgressOf([]session.Entry{opened("10.0.0.5:40000", "198.51.100.1:587"), refusal(test.code, test.verb, test.reply)})
		if want, _ := netip.ParseAddr(test.want); got != want || got.IsValid() && !strings.Contains(how, test.reply[:3]) {
			t.Errorf("%q: got %s (%s), want %q", test.reply, got, how, test.want)
		}
	}
}

func TestEgressOnTheSocket(t *testing.T) {
	tests := []struct{ local, want string }{
		{"203.0.113.5:40000", ours},
		{"[2001:db8::5]:40000", ours6},
		{"10.0.0.5:40000", ""},
		{"[fd00::5]:40000", ""},
		{"[fe80::5%eth0]:40000", ""},
		{"127.0.0.1:40000", ""},
		{"", ""},
	}
	for _, test := range tests {
		got, how := probe.EgressOf([]session.Entry{opened(test.local, "198.51.100.1:587")})
		if want, _ := netip.ParseAddr(test.want); got != want {
			t.Errorf("%q: got %s (%s), want %q", test.local, got, how, test.want)
		}
	}
	// A smarthost may name itself by its address. Who talks to himself is found
	// on the socket all the same.
	for local, want := range map[string]string{"10.0.0.5:40000": "invalid IP", "198.51.100.1:40000": "198.51.100.1"} {
		himself := append([]session.Entry{opened(local, "198.51.100.1:587")}, greeting("a", "250 mx (198.51.100.1) ready")...)
		if got, how := probe.EgressOf(himself); got.String() != want {
			t.Errorf("from %s: got %s (%s), want %s", local, got, how, want)
		}
	}
	// What the smarthost says goes first: translation may be on the way.
	both := append([]session.Entry{opened("198.51.100.77:40000", "198.51.100.1:587")}, greeting("a", "250 mx Hello a [203.0.113.5]")...)
	if got, how := probe.EgressOf(both); got.String() != ours {
		t.Errorf("got %s (%s), want %s", got, how, ours)
	}
}

func TestEgressUnknownSaysWhy(t *testing.T) {
	tests := []struct {
		entries []session.Entry
		want    string
	}{
		{nil, "no connection"},
		{[]session.Entry{opened("10.0.0.5:40000", "198.51.100.1:587")}, "10.0.0.5, is not public"},
		{[]session.Entry{opened("127.0.0.1:40000", "127.0.0.1:587")}, "127.0.0.1, is on this machine"},
		{greeting("a", "250 mx Hello a [192.168.1.5]"), "192.168.1.5, which is no public address"},
	}
	for _, test := range tests {
		if got, why := probe.EgressOf(test.entries); got.IsValid() || !strings.Contains(why, test.want) {
			t.Errorf("%d entries: got %s, %q, want none and %q", len(test.entries), got, why, test.want)
		}
	}
}

// FuzzEgressOf: what is returned stands literally in the reply, and is an
// address of the internet.
func FuzzEgressOf(f *testing.F) {
	f.Add("app.local", "250-smtp.gmail.com at your service, [203.0.113.5]\n250 SIZE", uint16(250))
	f.Add("[10.0.0.5]", "250 mx Hello [10.0.0.5] [IPv6:2001:db8::5].", uint16(250))
	f.Add("a", "550-5.7.1 [203.0.113.5      19] Our system", uint16(550))
	f.Add("a", "554 Client host [::ffff:203.0.113.5]:25 blocked", uint16(554))
	f.Add("a", "554 ip=2001:db8::5:", uint16(554))
	f.Fuzz(func(t *testing.T, name, reply string, code uint16) {
		entries := greeting(name, reply)
		entries[1].Code = int(code)
		addr, how := probe.EgressOf(entries)
		if how == "" {
			t.Fatalf("no word on %s of %q", addr, reply)
		}
		addrs, literals := probe.Mentions(reply)
		for i, literal := range literals {
			parsed, err := netip.ParseAddr(literal)
			if err != nil || parsed.Unmap() != addrs[i] || !strings.Contains(reply, literal) {
				t.Fatalf("%s for %q of %q (%v), want what stands there", addrs[i], literal, reply, err)
			}
		}
		if !addr.IsValid() {
			return
		}
		if !addr.IsGlobalUnicast() || addr.IsPrivate() {
			t.Fatalf("%s of %q is no address of the internet", addr, reply)
		}
		if !slices.Contains(addrs, addr) {
			t.Fatalf("%s does not stand in %q", addr, reply)
		}
	})
}

func TestGenericNames(t *testing.T) {
	tests := []struct {
		name, addr string
		generic    bool
	}{
		{"mail.example.com", ours, false},
		{"mx5.example.com", ours, false},
		{"smtp-203.example.com", ours, false},
		{"dynamo.example.com", ours, false},
		{"ec2-203-0-113-5.compute-1.amazonaws.com", ours, true},
		{"5.113.0.203.in-addr.example.net", ours, true},
		{"203-000-113-005.example.net", ours, true},
		{"ip-113-5.static.example.net", ours, false},
		{"p-cb007105.dip0.t-ipconnect.de", ours, true},
		{"cb007105.cable.example.net", ours, true},
		{"host.dyn.example.net", ours, true},
		{"dsl-17.example.net", ours, true},
		{"pool17.example.net", ours, true},
		{"mail.customer.example.net", ours, true},
		{"1.0.0.10.example.net", "10.0.0.1", true},
		{"mail.example.com", ours6, false},
		{"2001-db8-aabb-ccdd.v6.example.net", "2001:db8::aabb:ccdd", true},
	}
	for _, test := range tests {
		if why := probe.Generic(test.name, netip.MustParseAddr(test.addr)); (why != "") != test.generic {
			t.Errorf("%s of %s: got %q, want generic %v", test.name, test.addr, why, test.generic)
		}
	}
}

// TestEgressName has the name of the address in all the states there are.
func TestEgressName(t *testing.T) {
	tests := []struct {
		name   string
		set    func(d lists)
		status probe.Status
		text   string
		result string
		found  string
	}{
		{"confirmed", func(d lists) { d.PTR(ours, "mail.example.com"); d.A("mail.example.com", ours) }, probe.StatusOK, "mail.example.com", "ok", "confirmed"},
		{"one of two confirmed", func(d lists) {
			d.PTR(ours, "other.example.com")
			d.PTR(ours, "mail.example.com")
			d.A("mail.example.com", "198.51.100.1", ours)
		}, probe.StatusOK, "mail.example.com", "ok", "confirmed"},
		{"generic", func(d lists) {
			d.PTR(ours, "203-0-113-5.pool.example.net")
			d.A("203-0-113-5.pool.example.net", ours)
		}, probe.StatusWarn, "a provider's name", "ok", "generic"},
		{"leads elsewhere", func(d lists) { d.PTR(ours, "mail.example.com"); d.A("mail.example.com", "198.51.100.1") }, probe.StatusWarn, "does not lead back", "fail", "unconfirmed"},
		{"leads nowhere", func(d lists) { d.PTR(ours, "mail.example.com") }, probe.StatusWarn, "does not lead back", "fail", "unconfirmed"},
		{"none", func(lists) {}, probe.StatusWarn, "no PTR record", "fail", "none"},
		{"way back without an answer", func(d lists) {
			d.PTR(ours, "mail.example.com")
			d.Trouble("mail.example.com", testenv.Servfail)
		}, probe.StatusSkip, "leads back to it has no answer", "skip", "unknown"},
		{"no answer", func(d lists) { d.Trouble("5.113.0.203.in-addr.arpa", testenv.Servfail) }, probe.StatusSkip, "SERVFAIL", "skip", "unknown"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newLists(t)
			test.set(d)
			lines, answers := d.prober(t, probe.Options{}).EgressLines(t.Context(), greeting("a", "250 mx Hello a [203.0.113.5]"), false)
			if len(lines) != 3 || lines[0].Step != "egress" || lines[0].Status != probe.StatusOK || !strings.Contains(lines[0].Text, ours) {
				t.Fatalf("lines %+v, want the address, its name and a skip", lines)
			}
			if l := lines[1]; l.Step != "ptr" || l.Status != test.status || !strings.Contains(l.Text, test.text) {
				t.Errorf("got %+v, want %s with %q", l, test.status, test.text)
			}
			if len(answers) != 1 || answers[0].Probe.Result != test.result || answers[0].Probe.Found[0].Result != test.found || answers[0].Probe.Cause != "" {
				t.Errorf("answers %+v, want %s, %s and no cause", answers, test.result, test.found)
			}
		})
	}
}

// TestBlocklistLines has the ladder of a check whose address is on lists of
// each weight, and with lists that do not answer.
func TestBlocklistLines(t *testing.T) {
	d := newLists(t)
	d.PTR(ours, "mail.example.com")
	d.A("mail.example.com", ours)
	d.has(t, cop, ours, "127.0.0.2")
	d.has(t, zen, ours, "127.0.0.10")
	d.has(t, s5h, ours, "127.0.0.2")
	d.has(t, rats, ours, "127.255.255.254")
	d.Remove("2.0.0.127.bl.mailspike.net")
	d.Trouble("5.113.0.203.psbl.surriel.com", testenv.Servfail)
	lines, answers := d.prober(t, probe.Options{}).EgressLines(t.Context(), greeting("a", "250 mx Hello a [203.0.113.5]"), true)
	var got []string
	for _, l := range lines {
		if l.Step == "dnsbl" {
			name, _, _ := strings.Cut(l.Text, ":")
			got = append(got, string(l.Status)+" "+name)
		}
	}
	want := []string{
		"warn Spamhaus ZEN lists it", "warn SpamCop lists it", "warn s5h lists it", "ok 203.0.113.5 is not on 7 lists",
		"skip Mailspike is not usable", "skip SpamRATS", "skip no answer of PSBL (127.0.0.1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if e := answers[len(answers)-1]; e.Probe.Name != "dnsbl" || e.Probe.Result != "fail" || e.Probe.Cause != "reputation.ip-blocklisted" {
		t.Errorf("answer %+v, want a failure with the cause", *e.Probe)
	}
}

// TestPolicyListingIsNoFinding: a line for homes is on the PBL, which is right
// and does not matter to who signs in to a smarthost.
func TestPolicyListingIsNoFinding(t *testing.T) {
	d := newLists(t)
	d.has(t, zen, ours, "127.0.0.11")
	lines, answers := d.prober(t, probe.Options{}).EgressLines(t.Context(), greeting("a", "250 mx Hello a [203.0.113.5]"), true)
	for _, l := range lines {
		if l.Status == probe.StatusFail {
			t.Errorf("got %+v, want no failure", l)
		}
	}
	if e := answers[len(answers)-1]; e.Probe.Cause != "" || foundOf(e, zen).Result != "listed" {
		t.Errorf("answer %+v, want a listing without a cause", *e.Probe)
	}
}

func TestNoEgressNoBlocklists(t *testing.T) {
	d := newLists(t)
	for _, entries := range [][]session.Entry{nil, greeting("a", "250 mx Hello a [127.0.0.1]"), greeting("a", "250 mx")} {
		lines, answers := d.prober(t, probe.Options{}).EgressLines(t.Context(), entries, true)
		if len(lines) != 2 || lines[0].Status != probe.StatusSkip || lines[1].Status != probe.StatusSkip || len(answers) != 0 {
			t.Errorf("%+v: got %+v, want two steps skipped", entries, lines)
		}
	}
}

// TestCheckEgress takes the two steps of a check against a smarthost that says
// which address it sees.
func TestCheckEgress(t *testing.T) {
	s := start(t, testenv.SmarthostOptions{NoTLS: true, Answers: map[session.Phase]testenv.Answer{
		session.PhaseHelo: {Reply: "250-" + host + " Hello app [203.0.113.5]\n250 SIZE"},
	}})
	d := newLists(t)
	d.A(host, "127.0.0.1")
	d.PTR(ours, "mail.example.com")
	d.A("mail.example.com", ours)
	d.has(t, zen, ours, "127.0.0.4")
	p := d.prober(t, probe.Options{})
	for _, ask := range []bool{true, false} {
		var told []probe.Line
		report := p.Check(t.Context(), target(s.Addr(), upstream.ModeAuto), probe.Wanted{Steps: []string{"dnsbl"}, Blocklists: ask},
			func(l probe.Line) { told = append(told, l) })
		seen := map[string]probe.Status{}
		for _, l := range told {
			if l.Step == "egress" || l.Step == "ptr" || l.Step == "dnsbl" && seen[l.Step] != probe.StatusWarn {
				seen[l.Step] = l.Status
			}
		}
		want := map[string]probe.Status{"egress": probe.StatusOK, "ptr": probe.StatusOK, "dnsbl": probe.StatusSkip}
		if ask {
			want["dnsbl"] = probe.StatusWarn
		}
		if !maps.Equal(seen, want) {
			t.Errorf("blocklists %v: got %v, want %v, of %+v", ask, seen, want, told)
		}
		listed := slices.ContainsFunc(report.Answers, func(e session.Entry) bool { return e.Probe.Cause == "reputation.ip-blocklisted" })
		if listed != ask {
			t.Errorf("blocklists %v: answers %+v", ask, report.Answers)
		}
	}
}
