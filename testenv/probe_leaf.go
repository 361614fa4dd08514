package testenv

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
)

// LeafOf returns a good leaf for a key of the caller's own, RSA or Ed25519
// say, served with its intermediate.
func (ca *CA) LeafOf(key crypto.Signer, names ...string) (tls.Certificate, error) {
	template := newLeaf(names, validity{})
	der, err := x509.CreateCertificate(rand.Reader, template, ca.intermediate.cert, key.Public(), ca.intermediate.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("sign certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("read back certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der, ca.intermediate.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}
