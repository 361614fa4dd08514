package testenv

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"golang.org/x/crypto/ocsp"
)

// Leaf returns a certificate without a flaw for names (host names and IP
// addresses), served with its intermediate.
func (ca *CA) Leaf(names ...string) (tls.Certificate, error) {
	return ca.issue(newLeaf(names, validity{}))
}

// Expired returns a leaf that ended yesterday.
func (ca *CA) Expired(names ...string) (tls.Certificate, error) {
	now := time.Now()
	return ca.issue(newLeaf(names, validity{from: now.Add(-48 * time.Hour), until: now.Add(-24 * time.Hour)}))
}

// EndingSoon returns a leaf without a flaw that was issued three months ago and
// ends in ten days.
func (ca *CA) EndingSoon(names ...string) (tls.Certificate, error) {
	now := time.Now()
	return ca.issue(newLeaf(names, validity{from: now.AddDate(0, 0, -80), until: now.AddDate(0, 0, 10)}))
}

// NotYetValid returns a leaf that begins tomorrow.
func (ca *CA) NotYetValid(names ...string) (tls.Certificate, error) {
	now := time.Now()
	return ca.issue(newLeaf(names, validity{from: now.Add(24 * time.Hour), until: now.Add(48 * time.Hour)}))
}

// WithoutIntermediate returns a good leaf served alone: the chain lacks the
// certificate between it and the root.
func (ca *CA) WithoutIntermediate(names ...string) (tls.Certificate, error) {
	template := newLeaf(names, validity{})
	if ca.issuer != "" {
		template.IssuingCertificateURL = []string{ca.issuer}
	}
	leaf, err := sign(template, ca.intermediate)
	if err != nil {
		return tls.Certificate{}, err
	}
	return leaf.served(), nil
}

// Direct returns a leaf that the root has signed itself, served alone, as
// small private authorities do. No authority information points at its issuer.
func (ca *CA) Direct(names ...string) (tls.Certificate, error) {
	template := newLeaf(names, validity{})
	template.IssuingCertificateURL = nil
	leaf, err := sign(template, ca.root)
	if err != nil {
		return tls.Certificate{}, err
	}
	return leaf.served(), nil
}

// WithRoot returns a good leaf served with its intermediate and the root.
func (ca *CA) WithRoot(names ...string) (tls.Certificate, error) {
	leaf, err := sign(newLeaf(names, validity{}), ca.intermediate)
	if err != nil {
		return tls.Certificate{}, err
	}
	return leaf.served(ca.intermediate, ca.root), nil
}

// ExpiredIntermediate returns a leaf in date beneath an intermediate that
// ended yesterday.
func (ca *CA) ExpiredIntermediate(names ...string) (tls.Certificate, error) {
	now := time.Now()
	old := validity{from: now.Add(-48 * time.Hour), until: now.Add(-24 * time.Hour)}
	middle, err := newAuthority("smtp-proxy test old intermediate", ca.root, old)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := sign(newLeaf(names, validity{}), middle)
	if err != nil {
		return tls.Certificate{}, err
	}
	return leaf.served(middle), nil
}

// Weak returns a leaf that is signed with SHA-1.
func (ca *CA) Weak(names ...string) (tls.Certificate, error) {
	template := newLeaf(names, validity{})
	template.SignatureAlgorithm = x509.ECDSAWithSHA1
	return ca.issue(template)
}

// WrongUsage returns a leaf that is no server's certificate: its extended key
// usage allows code signing only.
func (ca *CA) WrongUsage(names ...string) (tls.Certificate, error) {
	template := newLeaf(names, validity{})
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	return ca.issue(template)
}

// Stapled returns a good leaf with an OCSP answer of that status (ocsp.Good,
// ocsp.Revoked, ocsp.Unknown) stapled to it.
func (ca *CA) Stapled(status int, names ...string) (tls.Certificate, error) {
	cert, err := ca.Leaf(names...)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	answer := ocsp.Response{
		Status:       status,
		SerialNumber: cert.Leaf.SerialNumber,
		ThisUpdate:   now.Add(-time.Hour),
		NextUpdate:   now.Add(time.Hour),
		IssuerHash:   crypto.SHA256,
	}
	if status == ocsp.Revoked {
		answer.RevokedAt = now.Add(-2 * time.Hour)
		answer.RevocationReason = ocsp.KeyCompromise
	}
	cert.OCSPStaple, err = ocsp.CreateResponse(ca.intermediate.cert, ca.intermediate.cert, answer, ca.intermediate.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("sign OCSP answer: %w", err)
	}
	return cert, nil
}

// SelfSigned returns a certificate for names that no authority has signed.
func SelfSigned(names ...string) (tls.Certificate, error) {
	template := newLeaf(names, validity{})
	template.IssuingCertificateURL = nil
	leaf, err := sign(template, nil)
	if err != nil {
		return tls.Certificate{}, err
	}
	return leaf.served(), nil
}

// issue has the intermediate sign template.
func (ca *CA) issue(template *x509.Certificate) (tls.Certificate, error) {
	leaf, err := sign(template, ca.intermediate)
	if err != nil {
		return tls.Certificate{}, err
	}
	return leaf.served(ca.intermediate), nil
}
