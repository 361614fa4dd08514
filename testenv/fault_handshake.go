package testenv

import (
	"context"
	"crypto/tls"
	"io"
	"net"
)

// handshakeFaults are smarthosts that find nothing in common with the relay,
// or miss something.
func handshakeFaults() map[string]starter {
	return map[string]starter{
		"tls.version-mismatch": shakes(func(c *tls.Config) {
			c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		}),
		"tls.cipher-mismatch": shakes(func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA}
		}),
		"tls.client-certificate-required": shakes(func(c *tls.Config) {
			c.ClientAuth = tls.RequireAnyClientCert
		}),
		"tls.client-certificate-required/tls12": shakes(func(c *tls.Config) {
			c.MaxVersion, c.ClientAuth = tls.VersionTLS12, tls.RequireAnyClientCert
		}),
		"tls.sni-required": nameless,
	}
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
		err = f.serve(SmarthostOptions{Addr: o.Addr, Host: host, TLS: cfg})
		f.Roots = roots
		return err
	}
}

// nameless serves under an address, where no server name can be sent, and
// refuses handshakes that lack one with the alert unrecognized_name.
func nameless(f *Fault, o FaultOptions) error {
	cert, roots, err := lastingLeaf("mail.example.com")
	if err != nil {
		return err
	}
	cfg := &tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if h.ServerName == "" {
			return nil, nil // crypto/tls makes alert 112 of it
		}
		return &cert, nil
	}}
	err = f.serve(SmarthostOptions{Addr: o.Addr, TLS: cfg})
	if err == nil {
		f.Roots, f.Upstream = roots, f.Smarthost.Addr()
	}
	return err
}

// spoiltHandshakes are ways to go wrong instead of shaking hands.
func spoiltHandshakes() map[string]func(context.Context, net.Conn) net.Conn {
	return map[string]func(context.Context, net.Conn) net.Conn{
		"silence": func(_ context.Context, c net.Conn) net.Conn {
			_, _ = io.Copy(io.Discard, c)
			return nil
		},
		"reset": func(_ context.Context, c net.Conn) net.Conn {
			hearHello(c)
			reset(c)
			return nil
		},
		"close": func(_ context.Context, c net.Conn) net.Conn {
			hearHello(c)
			return nil
		},
		"garbage": func(_ context.Context, c net.Conn) net.Conn {
			hearHello(c)
			_, _ = c.Write([]byte("\x16\x03\x03\x00\x08\xde\xad\xbe\xef\xde\xad\xbe\xef"))
			_, _ = io.Copy(io.Discard, c)
			return nil
		},
	}
}

// hearHello reads the first record of the handshake, so that a close behind it
// is a FIN and no RST for octets unread.
func hearHello(c net.Conn) {
	head := make([]byte, 5)
	if _, err := io.ReadFull(c, head); err != nil {
		return
	}
	length := int64(head[3])<<8 | int64(head[4])
	_, _ = io.CopyN(io.Discard, c, length)
}
