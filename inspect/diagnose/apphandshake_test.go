package diagnose_test

import (
	"testing"

	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
)

// Before its ClientHello an app cannot have seen a certificate, and behind it
// silence and garbage say nothing about one.
func TestBrokenAppHandshakes(t *testing.T) {
	began := &session.TLS{Hello: &session.Hello{Versions: []string{"TLS 1.3"}}}
	startTLS := session.Entry{Leg: session.App, From: session.FromApp, Kind: session.KindCommand, Phase: session.PhaseTLS, Verb: "STARTTLS", Text: "STARTTLS"}
	tests := []struct {
		name  string
		asked bool
		tls   *session.TLS
		class session.FaultClass
		want  string
	}{
		{"nothing on an implicit port", false, &session.TLS{}, session.FaultTimeout, "app.timeout"},
		{"nothing behind STARTTLS", true, &session.TLS{}, session.FaultTimeout, "tls.handshake-timeout"},
		{"stalled behind its hello", false, began, session.FaultTimeout, "tls.handshake-timeout"},
		{"closed before its hello", true, &session.TLS{}, session.FaultClosed, "tls.handshake-reset"},
		{"reset before its hello", true, &session.TLS{}, session.FaultReset, "tls.handshake-reset"},
		{"closed behind its hello", true, began, session.FaultClosed, "tls.app-rejected-certificate"},
		{"text behind STARTTLS", true, &session.TLS{}, session.FaultNotTLS, "tls.handshake-corrupt"},
		{"text on an implicit port", false, &session.TLS{}, session.FaultNotTLS, "tls.implicit-expected"},
		{"garbage", false, began, session.FaultCorrupt, "tls.handshake-corrupt"},
	}
	for _, tt := range tests {
		entries := []session.Entry{greeting("220 mx")}
		if tt.asked {
			entries = append(entries, startTLS)
		}
		entries = append(entries, handshake(session.App, tt.tls, &session.Fault{Class: tt.class, Text: "as it was"}))
		got := engine(t, diagnose.Options{}).Annotate(sessionOf(t, "mx.example.com:587", entries...))
		if len(got) == 0 || got[0].Cause != tt.want {
			t.Errorf("%s: got %+v, want %s first", tt.name, got, tt.want)
		}
	}
}
