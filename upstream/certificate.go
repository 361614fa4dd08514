package upstream

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"smtp-proxy/proxy/session"
)

// The bounds of what is recorded of a chain; a peer may send far more.
const (
	maxChain = 16
	maxNames = 100
)

// certificates are the facts of a chain, in the order in which it was sent.
func certificates(chain []*x509.Certificate) []session.Certificate {
	facts := []session.Certificate{}
	for _, c := range chain[:min(len(chain), maxChain)] {
		facts = append(facts, certificate(c))
	}
	return facts
}

func certificate(c *x509.Certificate) session.Certificate {
	return session.Certificate{
		Subject:   c.Subject.String(),
		Issuer:    c.Issuer.String(),
		NotBefore: c.NotBefore.UTC(),
		NotAfter:  c.NotAfter.UTC(),
		Names:     namesOf(c),
		Key:       keyName(c),
		Signature: c.SignatureAlgorithm.String(),
		Serial:    fmt.Sprintf("%x", c.SerialNumber),
		CA:        c.IsCA,
		AIA:       c.IssuingCertificateURL,
	}
}

// namesOf lists the names that count for a server: DNS names and addresses.
func namesOf(c *x509.Certificate) []string {
	names := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names[:min(len(names), maxNames)]
}

// keyName says what kind of key a certificate holds: "ECDSA P-256".
func keyName(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return c.PublicKeyAlgorithm.String()
}
