package diagnose_test

import (
	"testing"

	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
)

// What is asked is what could change the answer, and once.
func TestQuestions(t *testing.T) {
	hidden, refused := fault(session.FaultHiddenAlert), fault(session.FaultAlert, 40)
	appLeg := handshake(session.App, &session.TLS{Hello: modern()}, nil)
	lacking := chainOf(session.VerifyIncomplete, "smtp.example.com")
	lacking.ServerName, lacking.RootHint = "smtp.example.com", "CN=Missing"
	through := func(c tunnel) []session.Entry { return c.entries() }
	for _, tt := range []struct {
		name    string
		entries []session.Entry
		want    string
	}{
		{"passthrough, the app refused", through(tunnel{version: "TLS 1.3", flights: []int64{517, 3000, 24}, app: hidden}), "certificate smtp.example.com;"},
		{"passthrough, in view", through(tunnel{version: "TLS 1.2", chain: chainOf(session.VerifyExpired, "smtp.example.com"), app: fault(session.FaultAlert, 45)}), ""},
		{"passthrough, answered", through(tunnel{version: "TLS 1.3", app: hidden, behind: []session.Entry{probed("certificate", "skip", nil)}}), ""},
		{"passthrough, the upstream refused", through(tunnel{flights: []int64{517, 7}, up: refused}), "certificate smtp.example.com;direct ;"},
		{"passthrough, the app never began", through(tunnel{silentIn: true, app: fault(session.FaultClosed)}), ""},
		{"in clear", []session.Entry{greeting("220 mx")}, ""},
		{"TLS on the upstream leg alone", []session.Entry{handshake(session.Upstream, chainOf("", "smtp.example.com"), nil)}, ""},
		{"incomplete", []session.Entry{handshake(session.Upstream, lacking, fault(session.FaultCertificate))}, "certificate smtp.example.com;"},
		{"version refused", []session.Entry{handshake(session.Upstream, &session.TLS{ServerName: "smtp.example.com"}, fault(session.FaultAlert, 70))}, "certificate smtp.example.com;"},
		{"expired", []session.Entry{handshake(session.Upstream, chainOf(session.VerifyExpired, "smtp.example.com"), fault(session.FaultCertificate))}, ""},
		{"TLS on the app's leg", []session.Entry{handshake(session.Upstream, chainOf("", "smtp.example.com"), nil), appLeg}, "direct ;"},
		{"predicted", []session.Entry{appLeg, predicted("tls.sni-required")}, ""},
	} {
		got := ""
		for _, q := range engine(t, diagnose.Options{}).Questions(sessionOf(t, "smtp.example.com:587", tt.entries...)) {
			got += q.Probe + " " + q.SNI + ";"
			if (q.Probe == "direct") != (q.Hello != nil) {
				t.Errorf("%s: the question %+v, want an offer with direct and with nothing else", tt.name, q)
			}
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
