package diagnose_test

import (
	"strings"
	"testing"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
)

// sure lists what was found and how surely.
func sure(findings []inspect.Finding) string {
	var all []string
	for _, f := range findings {
		all = append(all, f.Cause+" "+string(f.Certainty))
	}
	return strings.Join(all, ", ")
}

// An app names what it minds by the number of its alert: of a certificate with
// several flaws it is the one that the number fits, and one with none is
// refused for something that only the app knows.
func TestAlertsAreWeighedAgainstFlaws(t *testing.T) {
	const host, other = "smtp.example.com", "localhost"
	const name, rejected = "tls.certificate-name-mismatch", "tls.app-rejected-certificate"
	revoked := func(verify session.VerifyFault) *session.TLS {
		h := chainOf(verify, host)
		h.Stapled = "revoked"
		return h
	}
	for _, tt := range []struct {
		asked    string
		chain    *session.TLS
		alert    int
		want     string
		contains string
	}{
		{other, chainOf("", host), 48, rejected + " certain", "does not know the issuer"},
		{other, chainOf("", host), 48, rejected + " certain", "does not name localhost either"},
		{other, chainOf(session.VerifyName, host), 48, rejected + " certain", "Give the app a current list of roots"},
		{other, chainOf("", host), 45, rejected + " certain", "Check the clock where the app runs"},
		{other, chainOf("", host), 44, rejected + " certain", "revoked"},
		{other, chainOf("", host), 42, name + " certain", "asked for localhost"},
		{other, chainOf("", host), 46, name + " certain", "asked for localhost"},
		{other, chainOf(session.VerifyUntrusted, host), 48, "tls.certificate-untrusted certain", ""},
		{other, chainOf(session.VerifyOther, host), 48, "tls.certificate-untrusted certain", ""},
		{other, chainOf(session.VerifySelfSigned, host), 48, "tls.certificate-self-signed certain", ""},
		{other, chainOf(session.VerifyIncomplete, host), 48, "tls.chain-incomplete certain", ""},
		{other, chainOf(session.VerifyUntrusted, host), 42, name + " likely", ""},
		{other, chainOf(session.VerifyOther, host), 42, name + " likely", ""},
		{other, chainOf(session.VerifyExpired, host), 45, "tls.certificate-expired certain", ""},
		{other, chainOf(session.VerifyExpired, host), 46, name + " likely", ""},
		{other, chainOf(session.VerifyExpired, host), 48, "tls.certificate-expired likely", "unknown_ca"},
		{other, revoked(session.VerifyName), 44, "tls.certificate-revoked certain", ""},
		{other, revoked(session.VerifyName), 42, name + " likely", ""},
		{host, chainOf(session.VerifyName, "mx.example.net"), 48, rejected + " certain", "does not name smtp.example.com either"},
		{host, chainOf(session.VerifyName, "mx.example.net"), 42, name + " certain", "mx.example.net"},
		{"", chainOf(session.VerifyName, "mx.example.net"), 48, rejected + " certain", "does not name smtp.example.com either"},
		{host, chainOf(session.VerifyWeak, host), 42, "tls.certificate-weak certain", ""},
		{host, chainOf(session.VerifyExpired, host), 42, "tls.certificate-expired certain", ""},
		{host, revoked(session.VerifyRevoked), 44, "tls.certificate-revoked certain", ""},
		{host, chainOf("", host), 48, rejected + " certain", "Give the app a current list of roots"},
		{host, chainOf("", host), 42, rejected + " certain", "expects another name"},
		{host, chainOf("", host), 44, rejected + " certain", "was withdrawn"},
	} {
		hello := modern()
		hello.SNI = tt.asked
		c := tunnel{version: "TLS 1.2", hello: hello, flights: []int64{517, 3020, 7}, chain: tt.chain, app: fault(session.FaultAlert, tt.alert)}
		findings := engine(t, diagnose.Options{}).Annotate(throughSession(t, c.entries()...))
		if got := sure(findings); got != tt.want {
			t.Errorf("%q asked for, verdict %q, alert %d: got %q, want %q", tt.asked, tt.chain.Verify, tt.alert, got, tt.want)
			continue
		}
		if all := findings[0].Explanation + strings.Join(findings[0].Fix, " "); !strings.Contains(all, tt.contains) || strings.ContainsAny(all, "{}") {
			t.Errorf("%q asked for, verdict %q, alert %d: does not say %q:\n%s", tt.asked, tt.chain.Verify, tt.alert, tt.contains, all)
		}
	}
}
