package testenv_test

import (
	"slices"
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
)

// connectSymptoms are complaints about reaching the smarthost.
func connectSymptoms() []symptom {
	const mail = session.PhaseGreeting
	return []symptom{
		{id: "S1", sees: "connection refused: the server is down or does not listen",
			left: "which other ports of the host answer",
			check: each(shows("connect.refused", "mail.example.com refuses connections on port", "nc -vz", "Try again in 5 minutes"),
				explains("smtp.example.com:587", "dial tcp 192.0.2.10:587: connect: connection refused", "connect.refused"))},
		{id: "S2", sees: "the connection ends at once, before a greeting",
			left:  "whether it is so again half a minute later",
			check: each(shows("connect.closed"), shows("connect.closed/half-a-greeting"), shows("connect.reset"))},
		{id: "S3", sees: "the connection times out: a firewall drops it",
			left: "which other ports of the host answer, and so whether this port alone is blocked",
			check: each(whereKnown("connect.timeout", "firewall", "nc -vz mail.example.com 465"),
				explains("smtp.example.com:587", "dial tcp 192.0.2.10:587: i/o timeout", "connect.timeout", "smtp.example.com"))},
		{id: "S4", sees: "the line or the cloud blocks outgoing mail on port 25",
			left:  "that every host's port 25 is silent while 587 answers: the finding names the block as a reason, and the ports to try",
			check: explains("smtp.example.com:25", "dial tcp 192.0.2.10:25: i/o timeout", "connect.timeout", "port 25", "nc -vz smtp.example.com 587", "smtp.example.com 2525")},
		{id: "S5", sees: "the host name is wrong, or does not resolve",
			check: each(shows("connect.dns-no-such-host", "smtp.gmial.com does not exist", "smtp.gmail.com"),
				shows("connect.dns-no-such-host/no-address"), shows("connect.dns-failure", "--resolver"),
				shows("connect.dns-failure/refused"), shows("connect.dns-failure/silent"))},
		{id: "S6", sees: "DNS leads to another server",
			left:  "what another resolver answers: the record shows the answer, and that what stands there has another name than before",
			check: elsewhere},
		{id: "S7", sees: "the port is wrong: something else answers",
			check: each(shows("connect.not-smtp", "HTTP"), shows("connect.not-smtp/ssh", "SSH"), shows("connect.not-smtp/imap", "IMAP"),
				shows("connect.not-smtp/pop3", "POP3"), shows("tls.plaintext-expected", "starttls"))},
		{id: "S8", sees: "the MX record is wrong or missing",
			left: "the MX records themselves: the smarthost's words tell of them",
			check: each(shows("recipient.domain-accepts-no-mail"), showsAs("postfix", "recipient.domain-not-found"),
				explains("", "550 5.1.2 Host unknown: no MX for example.net", "recipient.domain-not-found"),
				explains("", "550 5.7.27 Sender address has null MX", "sender.domain-not-found"))},
		{id: "S9", sees: "something between here and there is slow or broken",
			left:  "where on the path: that one address family is dead is seen, single hops are not",
			check: each(shows("connect.unreachable"), oneFamilyIsEnough)},
		{id: "S10", sees: "a glitch: it went well before, and goes well again",
			check: seldom},
		{id: "S11", sees: "the smarthost's firewall blocks this address",
			left:  "whether another address gets through: that it is always so is in the record",
			check: always},
		{id: "S12", sees: "refused at once: the address is on a blocklist",
			left: "the lists that no reply names",
			check: each(shows("reputation.ip-blocklisted", "zen.spamhaus.org", "127.0.0.1"),
				showsAs("microsoft365", "reputation.ip-blocklisted", "sender.office.com"),
				answers("postfix", mail, "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using b.barracudacentral.org", testenv.App{}, "reputation.ip-blocklisted", "b.barracudacentral.org", "192.0.2.7"),
				answers("postfix", mail, "554 5.7.1 Your access to this mail system has been rejected due to the sending MTA's poor reputation", testenv.App{}, "reputation.poor"))},
		{id: "S13", sees: "no reverse DNS",
			left: "the PTR record itself",
			check: each(shows("reputation.no-reverse-dns", "127.0.0.1"),
				answers("postfix", session.PhaseRcpt, "550 5.7.25 The IP address sending this message does not have a PTR record setup [192.0.2.7]", testenv.App{}, "reputation.no-reverse-dns", "192.0.2.7"))},
		{id: "S14", sees: "some mails go through, then all are refused for a while",
			check: each(slowDown, shows("rate.messages"), shows("rate.connections"), showsAs("gmail", "rate.messages"))},
		{id: "S15", sees: "the smarthost is overloaded or in maintenance",
			check: each(shows("upstream.overloaded"), shows("upstream.unavailable"), shows("upstream.misconfigured"),
				answers("postfix", session.PhaseMail, "451 4.3.0 Mail server temporarily rejected message", testenv.App{}, "upstream.local-error", "Try again in"))},
		{id: "S16", sees: "a firewall on the app's own machine",
			left: "an app that never reaches the relay leaves no record: its own error is what there is",
			check: each(explains("localhost:1025", "Error: connect ECONNREFUSED 127.0.0.1:1025", "connect.refused"),
				explains("localhost:1025", "Error: connect ETIMEDOUT 127.0.0.1:1025", "connect.timeout", "firewall"))},
	}
}

// whereKnown is shows on systems that can play the fault.
func whereKnown(id string, words ...string) check {
	return func(t *testing.T, b bench) {
		t.Helper()
		if slices.Contains(allFaults(t), id) {
			shows(id, words...)(t, b)
		}
	}
}

// elsewhere is a name that led to the right server and leads to another now.
func elsewhere(t *testing.T, b bench) {
	found, s := course(t, "", "tls.certificate-name-mismatch")
	wantCause(t, b.set, found, "tls.certificate-name-mismatch", s)
	wantWords(t, found, []string{"mail.other.example", "New since the last session that worked"})
	if !slices.ContainsFunc(s.Events, func(e session.Entry) bool { return e.Dial != nil && e.Dial.Addr == s.Upstream.Addr }) {
		t.Errorf("no entry names the address that was dialled:\n%s", transcript(s))
	}
}

// oneFamilyIsEnough is a host whose IPv6 address leads nowhere: the other one
// serves, and there is nothing to report.
func oneFamilyIsEnough(t *testing.T, b bench) {
	s := newSmarthost(t, testenv.SmarthostOptions{})
	d, err := testenv.NewDNS()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	d.AAAA(s.Host(), "2001:db8::1")
	d.A(s.Host(), "127.0.0.1")
	_, port, _ := strings.Cut(s.Addr(), ":")
	f := &testenv.Fault{Upstream: s.Host() + ":" + port, Resolver: d.Addr(), Roots: s.Roots(), Sends: 1}
	got := startLoop(t, f).run(t, f)[0]
	wantHealthy(t, b.engine, got)
	if got.Upstream.Addr != s.Addr() {
		t.Errorf("got upstream %s, want %s\n%s", got.Upstream.Addr, s.Addr(), transcript(got))
	}
}

// seldom is one failure among good sessions.
func seldom(t *testing.T, b bench) {
	found, s := course(t, "", "", "", "", "tls.handshake-reset")
	wantCause(t, b.set, found, "tls.handshake-reset", s)
	if r := found[0].Recurrence; r == nil || r.Seen != 1 || r.Of != 5 {
		t.Errorf("got recurrence %+v, want 1 of 5", r)
	}
}

// always is the same failure each time.
func always(t *testing.T, b bench) {
	found, s := course(t, "connect.reset", "connect.reset", "connect.reset")
	wantCause(t, b.set, found, "connect.reset", s)
	if r := found[0].Recurrence; r == nil || r.Seen != 3 || r.Of != 3 {
		t.Errorf("got recurrence %+v, want 3 of 3", r)
	}
}

// slowDown is a limit that shows in the pattern of sessions.
func slowDown(t *testing.T, b bench) {
	found, s := course(t, "", "", "rate.messages")
	wantCause(t, b.set, found, "rate.messages", s)
	wantWords(t, found, []string{"4 sessions went well", "then came the first refusal", "at once"})
}
