package testenv_test

import (
	"crypto/tls"
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
)

// throughUpstream is what the smarthost, or the way to it, breaks while the
// app makes TLS with it through the proxy.
func throughUpstream() []tlsRow {
	rows := []tlsRow{
		{cause: "tls.required", fault: "tls.required"},
		{cause: "tls.not-offered", fault: "tls.not-offered", app: demandsTLS},
		{cause: "tls.not-offered", how: "and the app leaves", fault: "tls.not-offered", app: looksAndLeaves, doubtful: true},
		{cause: "tls.stripped", fault: "tls.stripped", app: demandsTLS},
		{cause: "tls.stripped", how: "and the app leaves", fault: "tls.stripped", app: looksAndLeaves},
		{cause: "tls.starttls-refused", fault: "tls.starttls-refused", app: demandsTLS},
		{cause: "tls.implicit-expected", fault: "tls.implicit-expected"},
		{cause: "tls.plaintext-expected", fault: "tls.plaintext-expected", app: speaksFirst},
		{cause: "tls.version-mismatch", versions: []uint16{tls.VersionTLS12}, app: demandsTLS, offer: atLeast(tls.VersionTLS13)},
		{cause: "tls.version-mismatch", versions: []uint16{tls.VersionTLS13}, app: demandsTLS, offer: atMost(tls.VersionTLS12), acts: "app"},
		{cause: "tls.cipher-mismatch", versions: bothVersions(), fault: "tls.cipher-mismatch", app: demandsTLS},
		{cause: "tls.sni-required", versions: bothVersions(), fault: "tls.sni-required", app: demandsTLS},
		{cause: "tls.sni-required", how: "another name", versions: bothVersions(), fault: "tls.sni-required/unknown-name", app: demandsTLS},
		{cause: "tls.client-certificate-required", versions: bothVersions(), fault: "tls.client-certificate-required", app: demandsTLS},
		{cause: "tls.app-version-mismatch", versions: bothVersions(), app: demandsTLS, offer: outdated},
		{cause: "tls.app-version-mismatch", how: "ciphers", versions: []uint16{tls.VersionTLS12}, app: demandsTLS, offer: oldCiphers},
	}
	for _, r := range brokenBy(session.Upstream) {
		r.app = demandsTLS
		rows = append(rows, r)
	}
	return through(session.Upstream, rows)
}

// throughApp is what the app breaks, for whatever reason.
func throughApp() (rows []tlsRow) {
	for _, cause := range certificateCauses() {
		rows = append(rows, tlsRow{cause: cause, versions: bothVersions(), fault: cause, app: demandsTLS, offer: minding})
	}
	for _, fault := range otherFlaws() {
		cause, how, _ := strings.Cut(fault, "/")
		rows = append(rows, tlsRow{cause: cause, how: how, versions: bothVersions(), fault: fault, app: demandsTLS})
	}
	garbage := testenv.Breach{Raw: "\x16\x03\x03\x00\x08garbage!"}
	rows = append(rows,
		tlsRow{cause: "tls.certificate-name-mismatch", how: "the app was told another name", versions: bothVersions(), app: demandsTLS, offer: misled},
		tlsRow{cause: "tls.app-rejected-certificate", how: "its alert", versions: bothVersions(), app: demandsTLS, offer: trustsNobody},
		tlsRow{cause: "tls.app-rejected-certificate", how: "left", versions: bothVersions(), app: demandsAnd(2, testenv.Breach{Then: testenv.EndClose})},
		tlsRow{cause: "tls.app-rejected-certificate", how: "reset", versions: bothVersions(), app: demandsAnd(2, testenv.Breach{Then: testenv.EndReset})},
		tlsRow{cause: "tls.app-rejected-certificate", how: "alert in clear", versions: []uint16{tls.VersionTLS13}, app: demandsAnd(2, alertInClear())},
		tlsRow{cause: "tls.handshake-timeout", how: "before the ClientHello", app: demandsAnd(1, testenv.Breach{})},
		tlsRow{cause: "tls.handshake-timeout", how: "behind the smarthost's flight", versions: bothVersions(), app: demandsAnd(2, testenv.Breach{})},
		tlsRow{cause: "tls.handshake-reset", how: "reset", app: demandsAnd(1, testenv.Breach{Then: testenv.EndReset})},
		tlsRow{cause: "tls.handshake-reset", how: "close", app: demandsAnd(1, testenv.Breach{Then: testenv.EndClose})},
		tlsRow{cause: "tls.handshake-corrupt", how: "garbage", app: demandsAnd(1, garbage)},
		tlsRow{cause: "tls.handshake-corrupt", how: "behind the smarthost's flight", versions: bothVersions(), app: demandsAnd(2, testenv.Breach{Raw: "GET / HTTP/1.1\r\n\r\n"})},
	)
	return through(session.App, rows)
}

// through makes rows of passthrough of them.
func through(leg session.Side, rows []tlsRow) []tlsRow {
	for i := range rows {
		rows[i].leg, rows[i].through = leg, true
	}
	return rows
}

// demandsTLS is an app that says STARTTLS, offered or not.
func demandsTLS(a *testenv.App) { a.TLS = testenv.AppSTARTTLS }

// speaksFirst is an app that expects TLS from the first octet.
func speaksFirst(a *testenv.App) { a.TLS = testenv.AppImplicit }

// looksAndLeaves is an app that looks for STARTTLS and goes when it is not
// there.
func looksAndLeaves(a *testenv.App) {
	a.Script = "<- 220*\n-> EHLO app.localhost\n<- 250*\n-> QUIT\n<- 221*\n"
}

// demandsAnd is an app whose own flight goes wrong.
func demandsAnd(flight int, b testenv.Breach) func(*testenv.App) {
	b.Flight = flight
	return func(a *testenv.App) { a.TLS, a.Breach = testenv.AppSTARTTLS, b }
}

func atLeast(version uint16) func(*tls.Config) {
	return func(c *tls.Config) { c.MinVersion = version }
}

func atMost(version uint16) func(*tls.Config) {
	return func(c *tls.Config) { c.MaxVersion = version }
}

// outdated is what an app of 2010 offers.
func outdated(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }

// misled was told a name that is not the smarthost's, as an app is that knows
// the proxy's only.
func misled(c *tls.Config) { c.ServerName = "relay.example.org" }

func trustsNobody(c *tls.Config) { c.RootCAs = testenv.Trust(nil).RootCAs }

// throughExcuses are the places where a cause cannot show in passthrough.
func throughExcuses() []tlsExcuse {
	const mine = "in passthrough the proxy has no TLS settings of its own that the app could miss"
	return []tlsExcuse{
		{causes: certificateCauses(), leg: session.Upstream, through: true,
			why: "nobody but the app judges the smarthost's certificate, and so it is the app that breaks off"},
		{causes: []string{"tls.app-rejected-certificate"}, leg: session.Upstream, through: true,
			why: "the app is who refuses"},
		{causes: []string{"tls.required", "tls.not-offered", "tls.stripped", "tls.starttls-refused", "tls.implicit-expected", "tls.plaintext-expected"}, leg: session.App, through: true,
			why: mine},
		{causes: []string{"tls.version-mismatch", "tls.cipher-mismatch", "tls.app-version-mismatch"}, leg: session.App, through: true,
			why: "the ClientHello says what the app takes, so it is the smarthost that finds nothing in it, and says so"},
		{causes: []string{"tls.sni-required", "tls.client-certificate-required"}, leg: session.App, through: true,
			why: "it is the smarthost that misses something, and breaks off"},
	}
}
