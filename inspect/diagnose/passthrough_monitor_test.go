package diagnose_test

import (
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
)

// Whoever has made the handshake and leaves at once may only have looked. What
// it leaves with, and what is known of the certificate, is all that tells a
// look from a refusal.
func TestLeavingBehindTheHandshake(t *testing.T) {
	const host = "smtp.example.com"
	orderly, cut, wordless := fault(session.FaultHiddenAlert), fault(session.FaultReset), fault(session.FaultClosed)
	good, bad := chainOf("", host), chainOf(session.VerifyUntrusted, host)
	silent := func(e session.Entry, upstream time.Duration) session.Entry {
		e.Silent = &session.Silent{Upstream: upstream}
		return e
	}
	const soon, long = 10 * time.Microsecond, 5 * time.Second
	for _, tt := range []struct {
		name   string
		chain  *session.TLS
		behind []session.Entry
		want   string
	}{
		{"orderly, in order", good, []session.Entry{left(session.App, orderly), left(session.Upstream, nil)}, "tls.app-rejected-certificate possible"},
		{"orderly, untrusted", bad, []session.Entry{left(session.App, orderly), left(session.Upstream, nil)}, "tls.certificate-untrusted possible"},
		{"orderly, not seen", nil, []session.Entry{left(session.App, orderly), left(session.Upstream, nil)}, "tls.app-rejected-certificate possible"},
		{"without a word, in order", good, []session.Entry{left(session.App, wordless), left(session.Upstream, nil)}, "tls.app-rejected-certificate possible"},
		{"without a word, untrusted", bad, []session.Entry{left(session.App, cut), left(session.Upstream, nil)}, "tls.certificate-untrusted possible"},
		{"an alert in clear", bad, []session.Entry{left(session.App, fault(session.FaultAlert, 48)), left(session.Upstream, nil)}, "tls.certificate-untrusted certain"},
		{"QUIT said before", good, []session.Entry{left(session.Upstream, nil), left(session.App, &session.Fault{Op: "read", Class: session.FaultReset})}, ""},
		{"the upstream answers a cut", bad, []session.Entry{left(session.App, cut), silent(left(session.Upstream, orderly), soon)}, "tls.certificate-untrusted possible"},
		{"the upstream refused, the app left on it", good, []session.Entry{left(session.App, nil), silent(left(session.Upstream, orderly), long)}, "tls.client-certificate-required likely"},
		{"the upstream refused and left", good, []session.Entry{left(session.Upstream, orderly), left(session.App, nil)}, "tls.client-certificate-required likely"},
		{"the upstream answers the app's leaving", good, []session.Entry{left(session.App, nil), silent(left(session.Upstream, orderly), soon)}, ""},
	} {
		version := "TLS 1.2"
		if tt.chain == nil {
			version = "TLS 1.3"
		}
		c := tunnel{version: version, flights: []int64{517, 3020, 80, 51}, chain: tt.chain, behind: tt.behind}
		if got := sure(engine(t, diagnose.Options{}).Annotate(throughSession(t, c.entries()...))); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// What is said of one that may only have looked does not claim that it minded
// anything.
func TestWordsForOneWhoMayOnlyHaveLooked(t *testing.T) {
	for name, chain := range map[string]*session.TLS{"in order": chainOf("", "smtp.example.com"), "not seen": nil} {
		c := tunnel{version: "TLS 1.3", flights: []int64{517, 3020, 80}, chain: chain, behind: []session.Entry{left(session.App, fault(session.FaultHiddenAlert)), left(session.Upstream, nil)}}
		findings := engine(t, diagnose.Options{}).Annotate(throughSession(t, c.entries()...))
		if len(findings) != 1 {
			t.Fatalf("%s: got %q, want one finding", name, sure(findings))
		}
		f := findings[0]
		if !strings.Contains(f.Fix[0], "If this is a monitor") || strings.Contains(f.Explanation, "refused it") || strings.ContainsAny(f.Title+f.Explanation, "{}") {
			t.Errorf("%s: got %q and first step %q, want words for a monitor first, and no refusal", name, f.Explanation, f.Fix[0])
		}
	}
}
