package testenv

import (
	"crypto/tls"
	"fmt"
	"time"

	"golang.org/x/crypto/ocsp"
)

// certificateFaults are smarthosts whose certificate fails verification.
func certificateFaults() map[string]starter {
	const other = "mail.other.example"
	return map[string]starter{
		"tls.certificate-expired":              presents((*CA).Expired),
		"tls.certificate-expired/intermediate": presents((*CA).ExpiredIntermediate),
		"tls.certificate-not-yet-valid":        presents((*CA).NotYetValid),
		"tls.clock-skew":                       skewed,
		"tls.certificate-name-mismatch": presents(func(ca *CA, _ ...string) (tls.Certificate, error) {
			return ca.Leaf(other, "www."+other)
		}),
		"tls.certificate-self-signed": presents(func(_ *CA, names ...string) (tls.Certificate, error) {
			return SelfSigned(names...)
		}),
		"tls.certificate-untrusted": untrusted(presents((*CA).WithRoot)),
		"tls.chain-incomplete":      incomplete,
		"tls.chain-incomplete/lost": presents((*CA).WithoutIntermediate),
		"tls.certificate-weak":      presents((*CA).Weak),
		"tls.certificate-revoked": presents(func(ca *CA, names ...string) (tls.Certificate, error) {
			return ca.Stapled(ocsp.Revoked, names...)
		}),
	}
}

// issue makes a certificate for names.
type issue func(ca *CA, names ...string) (tls.Certificate, error)

// presents serves the default persona with a certificate of a fresh authority,
// which the relay is to trust.
func presents(make issue) starter {
	return func(f *Fault, o FaultOptions) error { return f.present(o, make, 0) }
}

func (f *Fault) present(o FaultOptions, make issue, clock time.Duration) error {
	ca, err := NewCA()
	if err != nil {
		return err
	}
	persona := defaultPersona
	if clock != 0 {
		persona = "microsoft365" // its greeting tells the time
	}
	host, err := personaHost(o, persona)
	if err != nil {
		return err
	}
	cert, err := make(ca, host)
	if err != nil {
		return fmt.Errorf("certificate for %s: %w", host, err)
	}
	err = f.serve(SmarthostOptions{
		Addr: o.Addr, Persona: persona, Host: host, Clock: clock, Version: o.Version,
		TLS: &tls.Config{Certificates: []tls.Certificate{cert}},
	})
	f.Roots = ca.PEM()
	return err
}

func personaHost(o FaultOptions, persona string) (string, error) {
	p, err := LoadPersona(persona)
	if err != nil {
		return "", err
	}
	return o.host(p.Host), nil
}

func untrusted(start starter) starter {
	return func(f *Fault, o FaultOptions) error {
		err := start(f, o)
		f.Roots = nil
		return err
	}
}

// skewed shows a certificate that is good by the server's clock, which is a
// day and a half ahead.
func skewed(f *Fault, o FaultOptions) error {
	return f.present(o, (*CA).NotYetValid, 36*time.Hour)
}

// incomplete leaves the intermediate out, and publishes it where the leaf says.
func incomplete(f *Fault, o FaultOptions) error {
	return f.present(o, func(ca *CA, names ...string) (tls.Certificate, error) {
		end, err := ca.Publish()
		if err != nil {
			return tls.Certificate{}, err
		}
		f.closers = append(f.closers, end)
		return ca.WithoutIntermediate(names...)
	}, 0)
}
