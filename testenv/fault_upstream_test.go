package testenv_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// reach does with a fault what the relay's upstream leg does, and returns what
// it saw: the fault, and why the chain was not trusted.
func reach(t *testing.T, f *testenv.Fault) (session.Fault, session.VerifyFault) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(f.Roots)
	connector, err := upstream.New(upstream.Options{
		Resolver: f.Resolver, Roots: roots, LookupTimeout: time.Second,
		ConnectTimeout: time.Second, HandshakeTimeout: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	target, err := upstream.ParseTarget(f.Upstream, upstream.Mode(f.Relay.UpstreamTLS))
	if err != nil {
		t.Fatal(err)
	}
	c, err := connector.Connect(within(t), target, func(session.Entry) {})
	if err != nil {
		var failed *upstream.Error
		if !errors.As(err, &failed) {
			t.Fatalf("%s: got %T %v, want an *upstream.Error", f.Name, err, err)
		}
		return failed.Fault, ""
	}
	defer c.Close()
	if !target.Implicit() {
		io.WriteString(c, "EHLO me\r\nSTARTTLS\r\n")
		for _, part := range []string{"220 ", "\r\n250 ", "\r\n220 ", "\r\n"} {
			awaitReply(t, c, part)
		}
	}
	return secure(t, connector, c, target)
}

func secure(t *testing.T, connector *upstream.Connector, c net.Conn, target upstream.Target) (session.Fault, session.VerifyFault) {
	t.Helper()
	ctx, cancel := context.WithTimeout(within(t), 5*time.Second)
	defer cancel()
	conn, facts, fault := connector.Secure(ctx, c, target)
	if fault != nil {
		return *fault, facts.Verify
	}
	defer conn.Close()
	_, err := conn.Read(make([]byte, 1))
	if later := upstream.Classify("read", err); later != nil {
		return *later, facts.Verify
	}
	return session.Fault{}, facts.Verify
}

// A fault is seen by the upstream leg as what it is named for.
func TestFaultsLookToTheRelayAsNamed(t *testing.T) {
	tests := []struct {
		name   string
		class  session.FaultClass
		verify session.VerifyFault
		alert  int // of the peer; our own is not looked at
	}{
		{"connect.dns-no-such-host", session.FaultNoSuchHost, "", 0},
		{"connect.dns-failure", session.FaultDNS, "", 0},
		{"connect.refused", session.FaultRefused, "", 0},
		{"connect.unreachable", session.FaultUnreachable, "", 0},
		{"connect.timeout", session.FaultTimeout, "", 0},
		{"tls.certificate-expired", session.FaultCertificate, session.VerifyExpired, 0},
		{"tls.certificate-expired/intermediate", session.FaultCertificate, session.VerifyExpired, 0},
		{"tls.certificate-not-yet-valid", session.FaultCertificate, session.VerifyNotYetValid, 0},
		{"tls.certificate-name-mismatch", session.FaultCertificate, session.VerifyName, 0},
		{"tls.certificate-self-signed", session.FaultCertificate, session.VerifySelfSigned, 0},
		{"tls.certificate-untrusted", session.FaultCertificate, session.VerifyUntrusted, 0},
		{"tls.chain-incomplete", session.FaultCertificate, session.VerifyIncomplete, 0},
		{"tls.certificate-weak", session.FaultCertificate, session.VerifyWeak, 0},
		{"tls.certificate-revoked", session.FaultCertificate, session.VerifyRevoked, 0},
		{"tls.version-mismatch", session.FaultAlert, "", 70},
		{"tls.cipher-mismatch", session.FaultAlert, "", 40},
		{"tls.sni-required", session.FaultAlert, "", 112},
		{"tls.client-certificate-required", session.FaultAlert, "", 116},
		{"tls.handshake-reset", session.FaultReset, "", 0},
		{"tls.handshake-reset/closed", session.FaultClosed, "", 0},
		{"tls.handshake-timeout", session.FaultTimeout, "", 0},
		{"tls.plaintext-expected", session.FaultNotTLS, "", 0},
	}
	known := allFaults(t)
	for _, tt := range tests {
		if !slices.Contains(known, tt.name) {
			continue // a system where it cannot be provoked
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, verify := reach(t, startFault(t, tt.name))
			if got.Sent {
				got.Alert = 0
			}
			if got.Class != tt.class || verify != tt.verify || got.Alert != tt.alert {
				t.Errorf("got %+v, verify %q, want %s %q with alert %d", got, verify, tt.class, tt.verify, tt.alert)
			}
		})
	}
}
