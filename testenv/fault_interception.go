package testenv

import (
	"crypto/tls"
	"fmt"
)

// interceptionFaults are smarthosts in whose place somebody else answers.
func interceptionFaults() map[string]starter {
	return map[string]starter{
		"tls.certificate-untrusted/intercepted":    intercepted,
		"tls.certificate-name-mismatch/redirected": redirected,
	}
}

// intercepted is a virus scanner that opens the connection: it has made a
// certificate for the name that was asked for, and no app knows its root.
func intercepted(f *Fault, o FaultOptions) error {
	return untrusted(func(f *Fault, o FaultOptions) error {
		return f.present(o, func(_ *CA, names ...string) (tls.Certificate, error) {
			scanner, err := newCA("Avast Web/Mail Shield", validity{})
			if err != nil {
				return tls.Certificate{}, err
			}
			return scanner.WithRoot(names...)
		}, 0)
	})(f, o)
}

// redirected is a hoster that takes the connections of its customers' machines
// to any smarthost over, with the certificate of its own server.
func redirected(f *Fault, o FaultOptions) error {
	const persona = "gmail"
	host, err := personaHost(o, persona)
	if err != nil {
		return err
	}
	ca, err := NewCA()
	if err != nil {
		return err
	}
	cert, err := ca.Leaf("server12.web-hosting.com")
	if err != nil {
		return fmt.Errorf("certificate of the hoster: %w", err)
	}
	err = f.serve(SmarthostOptions{Addr: o.Addr, Persona: persona, Host: host, Version: o.Version, TLS: &tls.Config{Certificates: []tls.Certificate{cert}}})
	f.Roots = ca.PEM()
	return err
}
