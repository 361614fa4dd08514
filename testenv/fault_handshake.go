package testenv

import "crypto/tls"

// handshakeFaults are smarthosts that find nothing in common with the relay,
// or miss something.
func handshakeFaults() map[string]starter {
	return map[string]starter{
		"tls.version-mismatch": shakes(func(c *tls.Config) {
			c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		}),
		"tls.cipher-mismatch": ciphers,
		"tls.client-certificate-required": shakes(func(c *tls.Config) {
			c.ClientAuth = tls.RequireAnyClientCert
		}),
		"tls.client-certificate-required/tls12": shakes(func(c *tls.Config) {
			c.MaxVersion, c.ClientAuth = tls.VersionTLS12, tls.RequireAnyClientCert
		}),
		"tls.sni-required":              nameless,
		"tls.sni-required/unknown-name": shakes(func(c *tls.Config) { knows(c, "mail.other.example") }),
	}
}

// x448 is a group (RFC 8446, section 4.2.7) that Go does not speak.
const x448 tls.CurveID = 0x1e

// ciphers serves what nobody takes any more. The suites of TLS 1.3 are
// everybody's, so that there it is the group.
func ciphers(f *Fault, o FaultOptions) error {
	return shakes(func(c *tls.Config) {
		if o.Version == tls.VersionTLS13 {
			c.CurvePreferences = []tls.CurveID{x448}
			return
		}
		c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA}
	})(f, o)
}

// shakes serves the default persona with changed TLS settings.
func shakes(change func(*tls.Config)) starter {
	return func(f *Fault, o FaultOptions) error {
		host, err := personaHost(o, defaultPersona)
		if err != nil {
			return err
		}
		cert, roots, err := lastingLeaf(host)
		if err != nil {
			return err
		}
		cfg := &tls.Config{Certificates: []tls.Certificate{cert}}
		change(cfg)
		err = f.serve(SmarthostOptions{Addr: o.Addr, Host: host, TLS: cfg, Version: o.Version})
		f.Roots = roots
		return err
	}
}

// knows lets c refuse handshakes that ask for another server name with the
// alert unrecognized_name; without a name, those that ask for none.
func knows(c *tls.Config, name string) {
	cert := &c.Certificates[0]
	c.Certificates = nil
	c.GetCertificate = func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if h.ServerName == "" || name != "" && h.ServerName != name {
			return nil, nil // crypto/tls makes alert 112 of it
		}
		return cert, nil
	}
}

// nameless serves under an address, where no server name can be sent, and
// refuses handshakes that lack one with the alert unrecognized_name.
func nameless(f *Fault, o FaultOptions) error {
	cert, roots, err := lastingLeaf("mail.example.com")
	if err != nil {
		return err
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{cert}}
	knows(cfg, "")
	err = f.serve(SmarthostOptions{Addr: o.Addr, TLS: cfg, Version: o.Version})
	if err == nil {
		f.Roots, f.Upstream = roots, f.Smarthost.Addr()
	}
	return err
}
