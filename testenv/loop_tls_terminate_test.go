package testenv_test

import (
	"crypto/tls"
	"crypto/x509"
	"strings"

	"golang.org/x/crypto/ocsp"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
)

// terminatedUpstream is what breaks between the proxy and the smarthost.
func terminatedUpstream() (rows []tlsRow) {
	for _, cause := range []string{"tls.required", "tls.not-offered", "tls.stripped", "tls.starttls-refused", "tls.implicit-expected", "tls.plaintext-expected"} {
		rows = append(rows, tlsRow{cause: cause, leg: session.Upstream, fault: cause})
	}
	for _, cause := range certificateCauses() {
		rows = append(rows, tlsRow{cause: cause, leg: session.Upstream, versions: bothVersions(), fault: cause})
	}
	for _, fault := range otherFlaws() {
		cause, how, _ := strings.Cut(fault, "/")
		rows = append(rows, tlsRow{cause: cause, how: how, leg: session.Upstream, versions: bothVersions(), fault: fault})
	}
	rows = append(rows,
		tlsRow{cause: "tls.version-mismatch", leg: session.Upstream, versions: []uint16{tls.VersionTLS11}, fault: "tls.version-mismatch"},
		tlsRow{cause: "tls.cipher-mismatch", leg: session.Upstream, versions: bothVersions(), fault: "tls.cipher-mismatch"},
		tlsRow{cause: "tls.sni-required", leg: session.Upstream, versions: bothVersions(), fault: "tls.sni-required"},
		tlsRow{cause: "tls.sni-required", how: "another name", leg: session.Upstream, versions: bothVersions(), fault: "tls.sni-required/unknown-name"},
		tlsRow{cause: "tls.client-certificate-required", leg: session.Upstream, versions: bothVersions(), fault: "tls.client-certificate-required"},
	)
	return append(rows, brokenBy(session.Upstream)...)
}

// brokenBy are the handshakes that a smarthost breaks off without an alert: in
// place of its first flight, in the middle of it, and behind the peer's.
func brokenBy(leg session.Side) (rows []tlsRow) {
	for _, end := range []struct {
		cause, how string
		breach     testenv.Breach
	}{
		{stalls, "silence", testenv.Breach{}},
		{"tls.handshake-reset", "reset", testenv.Breach{Then: testenv.EndReset}},
		{"tls.handshake-reset", "close", testenv.Breach{Then: testenv.EndClose}},
		{"tls.handshake-corrupt", "garbage", testenv.Breach{Raw: "HTTP/1.1 502 Bad Gateway\r\n\r\n"}},
	} {
		at := func(where string, flight, records int, versions ...uint16) {
			b := end.breach
			b.Flight, b.Records = flight, records
			rows = append(rows, tlsRow{
				cause: end.cause, how: end.how + " " + where, leg: leg, versions: versions,
				breach: b,
			})
		}
		at("before the ServerHello", 1, 0)
		at("in the flight", 1, 1, bothVersions()...)
		at("behind the other side's flight", 2, 0, tls.VersionTLS12)
	}
	return rows
}

// terminatedApp is what breaks between the app and the proxy.
func terminatedApp() []tlsRow {
	const rejected = "tls.app-rejected-certificate"
	rows := []tlsRow{
		{cause: "tls.required", leg: session.App, fault: "tls.required/app"},
		{cause: "tls.not-offered", leg: session.App, app: func(a *testenv.App) { a.TLS = testenv.AppSTARTTLS }},
		{cause: "tls.implicit-expected", leg: session.App, fault: "tls.implicit-expected/app"},
		{cause: "tls.plaintext-expected", leg: session.App, fault: "tls.plaintext-expected/app"},
		{cause: "tls.handshake-timeout", how: "before the ClientHello", leg: session.App, fault: "tls.handshake-timeout/app"},
		{cause: "tls.handshake-timeout", how: "behind the proxy's flight", leg: session.App, versions: bothVersions(), fault: "tls.handshake-timeout/app-in-flight"},
		{cause: "tls.handshake-reset", leg: session.App, fault: "tls.handshake-reset/app"},
		{cause: "tls.handshake-reset", how: "closed", leg: session.App, fault: "tls.handshake-reset/app", app: breaks(testenv.Breach{Flight: 1, Then: testenv.EndClose})},
		{cause: "tls.handshake-corrupt", leg: session.App, fault: "tls.handshake-corrupt/app"},
		{cause: "tls.handshake-corrupt", how: "clear text", leg: session.App, fault: "tls.handshake-corrupt/app-in-clear"},
		{cause: "tls.handshake-corrupt", how: "behind the proxy's flight", leg: session.App, versions: bothVersions(), fault: "tls.handshake-corrupt/app", app: breaks(testenv.Breach{Flight: 2, Raw: "\x16\x03\x03\x00\x08garbage!"})},
		{cause: "tls.app-version-mismatch", leg: session.App, fault: "tls.app-version-mismatch"},
		{cause: "tls.app-version-mismatch", how: "ciphers", leg: session.App, versions: []uint16{tls.VersionTLS12}, fault: rejected, offer: oldCiphers},
	}
	for how, fault := range map[string]string{"": rejected, "left": rejected + "/left", "reset": rejected + "/reset"} {
		rows = append(rows, tlsRow{cause: rejected, how: how, leg: session.App, versions: bothVersions(), fault: fault})
	}
	rows = append(rows, tlsRow{
		cause: rejected, how: "alert in clear", leg: session.App, versions: []uint16{tls.VersionTLS13},
		fault: rejected, app: breaks(alertInClear()),
	})
	for how, own := range ownCertificates() {
		rows = append(rows, tlsRow{cause: rejected, how: "own certificate " + how, leg: session.App, versions: bothVersions(), fault: rejected, own: own, offer: minding})
	}
	return rows
}

// alertInClear is how OpenSSL refuses a certificate of TLS 1.3: it has no keys
// of its own by then.
func alertInClear() testenv.Breach {
	return testenv.Breach{Flight: 2, Raw: "\x14\x03\x03\x00\x01\x01\x15\x03\x03\x00\x02\x02\x30", Then: testenv.EndClose}
}

func breaks(b testenv.Breach) func(*testenv.App) {
	return func(a *testenv.App) { a.Breach = b }
}

// oldCiphers leaves an app with suites that nobody takes any more.
func oldCiphers(c *tls.Config) {
	c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}
}

// ownCertificates are what an operator may give to the proxy with --cert, and
// no app likes.
func ownCertificates() map[string]func(*testenv.CA) (tls.Certificate, error) {
	const proxy = "localhost"
	return map[string]func(*testenv.CA) (tls.Certificate, error){
		"expired":       func(ca *testenv.CA) (tls.Certificate, error) { return ca.Expired(proxy) },
		"not yet valid": func(ca *testenv.CA) (tls.Certificate, error) { return ca.NotYetValid(proxy) },
		"another name":  func(ca *testenv.CA) (tls.Certificate, error) { return ca.Leaf("proxy.example.com") },
		"self-signed":   func(*testenv.CA) (tls.Certificate, error) { return testenv.SelfSigned(proxy) },
		"incomplete":    func(ca *testenv.CA) (tls.Certificate, error) { return ca.WithoutIntermediate(proxy) },
		"weak":          func(ca *testenv.CA) (tls.Certificate, error) { return ca.Weak(proxy) },
		"untrusted": func(*testenv.CA) (tls.Certificate, error) {
			other, err := testenv.NewCA()
			if err != nil {
				return tls.Certificate{}, err
			}
			return other.WithRoot(proxy)
		},
		"revoked": func(ca *testenv.CA) (tls.Certificate, error) { return ca.Stapled(ocsp.Revoked, proxy) },
	}
}

// minding makes an app look at the OCSP answer that comes with a certificate,
// which crypto/tls does not.
func minding(c *tls.Config) {
	c.VerifyConnection = func(s tls.ConnectionState) error {
		if len(s.OCSPResponse) == 0 {
			return nil
		}
		answer, err := ocsp.ParseResponse(s.OCSPResponse, s.PeerCertificates[1])
		if err == nil && answer.Status == ocsp.Revoked {
			err = x509.CertificateInvalidError{Cert: s.PeerCertificates[0], Reason: x509.NotAuthorizedToSign, Detail: "revoked"}
		}
		return err
	}
}

// terminatedExcuses are the places where a cause cannot show while the proxy
// ends TLS itself.
func terminatedExcuses() []tlsExcuse {
	return []tlsExcuse{
		{causes: []string{"tls.version-mismatch"}, leg: session.Upstream,
			why: "the proxy offers TLS 1.2 and 1.3 both, so only a smarthost below them has nothing in common with it: its row is of TLS 1.1"},
		{causes: []string{"tls.app-rejected-certificate", "tls.app-version-mismatch"}, leg: session.Upstream,
			why: "the app takes no part in that leg"},
		{causes: certificateCauses(), leg: session.App,
			why: "the certificate there is the proxy's own, and the app is who judges it: tls.app-rejected-certificate has a row for each flaw"},
		{causes: []string{"tls.version-mismatch", "tls.cipher-mismatch"}, leg: session.App,
			why: "the proxy takes all that is not outdated, so it is the app that is: tls.app-version-mismatch"},
		{causes: []string{"tls.stripped"}, leg: session.App,
			why: "what happens to the proxy's words on their way to the app, the proxy does not hear"},
		{causes: []string{"tls.starttls-refused"}, leg: session.App,
			why: "the proxy refuses a STARTTLS of the app only out of sequence (protocol.bad-sequence), or passes on what the smarthost said"},
		{causes: []string{"tls.sni-required", "tls.client-certificate-required"}, leg: session.App,
			why: "the proxy needs neither"},
	}
}
