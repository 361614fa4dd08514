package diagnose_test

import (
	"testing"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// What each DNS server says by itself tells whose fault a failed look-up is.
func TestAnswerOfResolvers(t *testing.T) {
	lookup := func(class session.FaultClass) *inspect.Session {
		return sessionOf(t, "smtp.example.com:587", session.Entry{
			Leg: session.Upstream, From: session.FromProxy, Kind: session.KindError, Phase: session.PhaseConnect,
			Lookup: &session.Lookup{Name: "smtp.example.com", Type: "A"}, Fault: &session.Fault{Op: "lookup", Class: class}, Text: "look-up"})
	}
	const (
		knows  = "192.0.2.53:53 ok 198.51.100.1 in 3ms"
		denies = "192.0.2.54:53 no-such-host no such host in 2ms"
		fails  = "[2001:db8::53]:5353 failed SERVFAIL in 1ms"
		silent = "192.0.2.55:53 timeout no answer in time"
	)
	runAnswered(t, []answered{
		{"they disagree", lookup(session.FaultNoSuchHost), "resolvers", asked("resolvers", "fail", "", denies, knows),
			"connect.dns-no-such-host", inspect.Certain, "network",
			[]string{"192.0.2.53:53 (198.51.100.1 in 3ms) knows smtp.example.com, and 192.0.2.54:53 says that there is none"}, "--resolver 192.0.2.53:53."},
		{"all deny it", lookup(session.FaultNoSuchHost), "resolvers", asked("resolvers", "ok", "", denies, "192.0.2.56:53 no-such-host"),
			"connect.dns-no-such-host", inspect.Certain, "operator", []string{"All 2 DNS servers that answer say so"}, "letter by letter"},
		{"the one denies it again", lookup(session.FaultNoSuchHost), "resolvers", asked("resolvers", "ok", "", denies, silent),
			"connect.dns-no-such-host", inspect.Certain, "operator", []string{"192.0.2.54:53 says the same"}, "letter by letter"},
		{"it exists now", lookup(session.FaultNoSuchHost), "resolvers", asked("resolvers", "ok", "", knows),
			"connect.dns-no-such-host", inspect.Certain, "network", []string{"DNS had an address: 192.0.2.53:53 (198.51.100.1 in 3ms)"}, "Send again"},
		{"nobody answers any more", lookup(session.FaultNoSuchHost), "resolvers", asked("resolvers", "fail", "connect.dns-failure", silent),
			"connect.dns-no-such-host", inspect.Certain, "operator", []string{"no DNS server answers"}, "letter by letter"},
		{"one of two fails", lookup(session.FaultDNS), "resolvers", asked("resolvers", "ok", "", fails, knows),
			"connect.dns-failure", inspect.Certain, "network", []string{"192.0.2.53:53 knows smtp.example.com, and [2001:db8::53]:5353 (SERVFAIL in 1ms) fails"}, "--resolver 192.0.2.53:53. Then repair [2001:db8::53]:5353"},
		{"it has passed", lookup(session.FaultDNS), "resolvers", asked("resolvers", "ok", "", knows),
			"connect.dns-failure", inspect.Certain, "network", []string{"The trouble has passed"}, "dig"},
		{"another says that it does not exist", lookup(session.FaultDNS), "resolvers", asked("resolvers", "ok", "", fails, denies),
			"connect.dns-failure", inspect.Certain, "network", []string{"192.0.2.54:53 says that smtp.example.com does not exist"}, "dig"},
		{"all fail", lookup(session.FaultDNS), "resolvers", asked("resolvers", "fail", "connect.dns-failure", fails, silent),
			"connect.dns-failure", inspect.Certain, "network", []string{"not one server's trouble"}, "dig"},
		{"the one fails again", lookup(session.FaultDNS), "resolvers", asked("resolvers", "fail", "connect.dns-failure", fails),
			"connect.dns-failure", inspect.Certain, "network", []string{"Asked once more: [2001:db8::53]:5353 (SERVFAIL in 1ms)."}, "dig"},
	})
}
