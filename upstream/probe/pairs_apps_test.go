package probe_test

import (
	"crypto/tls"
	"crypto/x509"
)

// app is the other side of a pair.
type app struct {
	name     string
	min, max uint16
	suites   []uint16
	groups   []tls.CurveID
	alpn     []string
	nameless bool // sends no server name to the proxy
}

func apps() []app {
	return []app{
		{name: "usual"},
		{name: "TLS 1.3 alone", min: tls.VersionTLS13},
		{name: "TLS 1.2 alone", max: tls.VersionTLS12},
		{name: "TLS 1.0 and 1.1", min: tls.VersionTLS10, max: tls.VersionTLS11},
		{name: "TLS 1.0 alone", min: tls.VersionTLS10, max: tls.VersionTLS10},
		{name: "TLS 1.1 to 1.2", min: tls.VersionTLS11, max: tls.VersionTLS12},
		{name: "all versions", min: tls.VersionTLS10},
		{name: "ECDSA suites", max: tls.VersionTLS12, suites: ecdheECDSA},
		{name: "RSA suites", max: tls.VersionTLS12, suites: ecdheRSA},
		{name: "RSA key exchange", max: tls.VersionTLS12, suites: plainRSA},
		{name: "broken suites", min: tls.VersionTLS10, max: tls.VersionTLS12, suites: brokenSuites},
		{name: "P-521", groups: []tls.CurveID{tls.CurveP521}},
		{name: "P-521, TLS 1.2", max: tls.VersionTLS12, groups: []tls.CurveID{tls.CurveP521}},
		{name: "P-256", groups: []tls.CurveID{tls.CurveP256}},
		{name: "X25519", groups: []tls.CurveID{tls.X25519}},
		{name: "a protocol", alpn: []string{"smtp"}},
		{name: "nameless", nameless: true},
		{name: "nameless, TLS 1.2", nameless: true, max: tls.VersionTLS12},
	}
}

// towardsProxy is how the app speaks to the proxy.
func (a app) towardsProxy() *tls.Config {
	c := &tls.Config{
		MinVersion: a.min, MaxVersion: a.max, CipherSuites: a.suites, CurvePreferences: a.groups, NextProtos: a.alpn,
		ServerName: "localhost",
	}
	if a.nameless {
		c.ServerName, c.InsecureSkipVerify = "", true
	}
	return c
}

// byName is how the app speaks to the smarthost when it was given its name.
func (a app) byName(roots *x509.CertPool) *tls.Config {
	c := a.towardsProxy()
	c.ServerName, c.InsecureSkipVerify, c.RootCAs = host, false, roots
	return c
}

// silently is how it speaks to it when it never sends a server name.
func (a app) silently(roots *x509.CertPool) *tls.Config {
	c := a.byName(roots)
	c.ServerName, c.InsecureSkipVerify = "", true
	c.VerifyConnection = func(cs tls.ConnectionState) error {
		between := x509.NewCertPool()
		for _, cert := range cs.PeerCertificates[1:] {
			between.AddCert(cert)
		}
		_, err := cs.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: between})
		return err
	}
	return c
}
