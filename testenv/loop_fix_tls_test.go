package testenv_test

import (
	"crypto/tls"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

func brokenCertificates() []broken {
	return []broken{
		{
			name: "another name in the certificate",
			build: func(w *ward) {
				w.here()
				w.dns.A("mx1.example.net", "127.0.0.1")
				w.admit(&ailing{cert: []string{"mx1.example.net"}})
			},
			mode: upstream.ModeAuto, script: signed("me@example.com"),
			change: "set the host to mx1.example.net", flags: "--upstream starttls://mx1.example.net:{0}", reached: "auth-offered",
			text: "the password is for the host that was named",
		},
		{
			name:  "an address where the certificate has a name",
			build: func(w *ward) { w.here(); w.admit(&ailing{}) },
			host:  "127.0.0.1", mode: upstream.ModeAuto,
			change: "set the host to smtp.example.com", reached: "auth-offered",
		},
		{
			name: "another name, which leads elsewhere",
			build: func(w *ward) {
				w.here()
				w.dns.A("mx1.example.net", "127.0.0.9")
				w.admit(&ailing{cert: []string{"mx1.example.net"}})
			},
			mode: upstream.ModeSTARTTLS, script: signed("me@example.com"),
			reached: "tls", text: "the cause is not on this side",
		},
		{
			name: "expired on one port",
			build: func(w *ward) {
				w.here()
				w.admit(&ailing{config: certifiedBy(w.ca.Expired)})
				w.admit(&ailing{implicit: true})
			},
			mode: upstream.ModeAuto, change: "set port {1} with SSL/TLS (implicit)", reached: "auth-offered",
		},
		{
			name: "server name refused",
			build: func(w *ward) {
				w.here()
				w.dns.A("mail.example.com", "127.0.0.1")
				w.admit(&ailing{cert: []string{"mail.example.com"}, config: func(c *tls.Config) {
					leaf := c.Certificates[0]
					c.Certificates = nil
					c.GetCertificate = func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
						if h.ServerName != "mail.example.com" {
							return nil, nil // crypto/tls makes unrecognized_name of it
						}
						return &leaf, nil
					}
				}})
			},
			mode: upstream.ModeAuto, change: "set the host to mail.example.com", reached: "auth-offered",
		},
		{
			name:  "TLS 1.0 alone",
			build: func(w *ward) { w.here(); w.admit(&ailing{config: only(tls.VersionTLS10)}) },
			mode:  upstream.ModeSTARTTLS, script: signed("me@example.com"),
			change: "let the app make TLS with the smarthost itself, its lowest version set to TLS 1.0", flags: "--tls passthrough", reached: "tls",
		},
		{
			name: "a suite of the past",
			build: func(w *ward) {
				w.here()
				w.admit(&ailing{config: func(c *tls.Config) {
					c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA}
				}})
			},
			mode: upstream.ModeSTARTTLS, change: "let the app make TLS with the smarthost itself, and let it offer TLS 1.2 with TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
			flags: "--tls passthrough", reached: "tls",
		},
		{
			name: "TLS 1.0 on one port",
			build: func(w *ward) {
				w.here()
				w.admit(&ailing{config: only(tls.VersionTLS10)})
				w.admit(&ailing{implicit: true})
			},
			mode: upstream.ModeSTARTTLS, change: "set port {1} with SSL/TLS (implicit)", reached: "auth-offered",
		},
	}
}

func only(version uint16) func(*tls.Config) {
	return func(c *tls.Config) { c.MinVersion, c.MaxVersion = version, version }
}

// certifiedBy serves a certificate of the test's own making.
func certifiedBy(make func(names ...string) (tls.Certificate, error)) func(*tls.Config) {
	return func(c *tls.Config) {
		leaf, err := make(ailingHost)
		if err != nil {
			panic(err)
		}
		c.Certificates = []tls.Certificate{leaf}
	}
}

func brokenTrust() []broken {
	return []broken{
		{
			name:  "a self-signed certificate",
			build: func(w *ward) { w.here(); w.admit(&ailing{config: certifiedBy(testenv.SelfSigned)}) },
			mode:  upstream.ModeSTARTTLS, script: signed("me@example.com"),
			change: "trust its own certificate, if it is what you expect", flags: "--upstream-ca FILE", reached: "auth-offered",
			text: "the certificate is not trusted yet",
		},
		{
			name: "an authority of a company's own",
			build: func(w *ward) {
				other, err := testenv.NewCA()
				if err != nil {
					w.t.Fatal(err)
				}
				w.here()
				w.admit(&ailing{config: certifiedBy(other.WithRoot)})
			},
			mode: upstream.ModeAuto, change: `trust the authority "smtp-proxy test root"`, flags: "--upstream-ca FILE", reached: "auth-offered",
		},
		{
			name:  "a missing intermediate certificate",
			build: func(w *ward) { w.here(); w.admit(&ailing{config: certifiedBy(w.ca.WithoutIntermediate)}) },
			mode:  upstream.ModeAuto, change: `trust the intermediate certificate "`, flags: "--upstream-ca FILE", reached: "auth-offered",
		},
		{
			name:  "expired, and no other port",
			build: func(w *ward) { w.here(); w.admit(&ailing{config: certifiedBy(w.ca.Expired), inClear: true}) },
			mode:  upstream.ModeAuto, reached: "tls", text: "the cause is not on this side",
		},
	}
}
