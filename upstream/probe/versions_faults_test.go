package probe_test

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// TestTLSOfFaults takes the three steps to the smarthosts that provoke a cause
// of the catalogue, each of which shows in one of them.
func TestTLSOfFaults(t *testing.T) {
	tests := []struct {
		fault   string
		version uint16
		step    string
		lines   []string
	}{
		{"tls.certificate-expired", 0, "chain", []string{"fail 1: ", "; expired"}},
		{"tls.certificate-expired/intermediate", 0, "chain", []string{"fail 2: ", "; expired"}},
		{"tls.certificate-not-yet-valid", 0, "chain", []string{"; not valid before "}},
		{"tls.clock-skew", 0, "chain", []string{"or this machine's clock is behind"}},
		{"tls.certificate-name-mismatch", 0, "chain", []string{"ok leads to", "fail is not for " + host}},
		{"tls.certificate-self-signed", 0, "chain", []string{"issued by itself", "is self-signed and not trusted"}},
		{"tls.certificate-untrusted", 0, "chain", []string{"which is not among the trusted roots"}},
		{"tls.chain-incomplete", 0, "chain", []string{"; it is published at http://127.0.0.1:"}},
		{"tls.chain-incomplete/lost", 0, "chain", []string{"is missing behind it: few mail programs"}},
		{"tls.certificate-weak", 0, "chain", []string{"signed with ECDSA-SHA1"}},
		{"tls.certificate-revoked", 0, "chain", []string{"fail revoked"}},
		{"tls.version-mismatch", 0, "versions", []string{"warn TLS 1.1 and TLS 1.0 are taken: outdated", "warn neither TLS 1.2 nor TLS 1.3"}},
		{"tls.version-mismatch", 0, "chain", []string{"ok leads to"}},
		{"tls.cipher-mismatch", 0, "versions", []string{"warn TLS 1.2: weak suites only", "warn takes RC4", "warn no suite with ECDHE and AES"}},
		{"tls.cipher-mismatch", tls.VersionTLS13, "versions", []string{"warn no version is taken", "ends with remote error"}},
		{"tls.client-certificate-required", 0, "versions", []string{"ok TLS 1.3: 3 suites", "ok TLS 1.2: 5 suites"}},
		{"tls.client-certificate-required/tls12", 0, "chain", []string{"ok leads to", ", and is for " + host}},
		{"tls.sni-required/unknown-name", 0, "sni", []string{"skip not known: no certificate is shown, with the server name or without"}},
		{"tls.sni-required/unknown-name", tls.VersionTLS12, "versions", []string{"skip not examined: it refuses the server name, or the want of one"}},
		{"tls.handshake-reset", 0, "versions", []string{"warn no version is taken", "connection reset by peer"}},
		{"tls.handshake-corrupt", 0, "versions", []string{"skip not examined: the answer to a TLS hello is no TLS"}},
		{"tls.not-offered", 0, "versions", []string{"skip not examined: the session did not get as far as TLS"}},
	}
	for _, test := range tests {
		t.Run(test.fault+"/"+test.step+"/"+tls.VersionName(test.version), func(t *testing.T) {
			f, err := testenv.StartFault(test.fault, testenv.FaultOptions{Host: host, Version: test.version})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(f.Roots)
			p := newProber(t, roots, probe.Options{})
			lines, _ := climb(t, p, target(f.Smarthost.Addr(), upstream.ModeSTARTTLS), test.step)
			saysAll(t, lines, test.lines...)
		})
	}
}

// TestVersionsOfAPortInClear greets where TLS is expected from the first octet.
func TestVersionsOfAPortInClear(t *testing.T) {
	f, err := testenv.StartFault("tls.plaintext-expected", testenv.FaultOptions{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	lines, _ := climb(t, newProber(t, nil, probe.Options{}), target(f.Smarthost.Addr(), upstream.ModeImplicit), "versions")
	saysAll(t, lines, "skip not examined: the answer to a TLS hello is no TLS")
}
