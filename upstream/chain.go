package upstream

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"time"
)

// linked follows the chain from the leaf upwards, over the certificates that
// have truly signed each other, whatever the order in which they were sent.
func linked(chain []*x509.Certificate) []*x509.Certificate {
	path := chain[:1:1]
	for len(path) < len(chain) {
		last := path[len(path)-1]
		next := signerOf(last, chain[1:])
		if next == nil || selfSigned(last) {
			break
		}
		path = append(path, next)
	}
	return path
}

func signerOf(c *x509.Certificate, among []*x509.Certificate) *x509.Certificate {
	for _, other := range among {
		if hasSigned(other, c) {
			return other
		}
	}
	return nil
}

func hasSigned(issuer, c *x509.Certificate) bool {
	return bytes.Equal(issuer.RawSubject, c.RawIssuer) &&
		issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

func selfSigned(c *x509.Certificate) bool { return hasSigned(c, c) }

// endOf is when the first certificate of a chain runs out.
func endOf(chain []*x509.Certificate) time.Time {
	end := chain[0].NotAfter
	for _, c := range chain {
		end = earlier(end, c.NotAfter)
	}
	return end
}

// weakness names a signature or key of the path that x509 refuses.
func weakness(path []*x509.Certificate) string {
	for _, c := range path {
		if selfSigned(c) {
			continue // nobody relies on a root's signature
		}
		switch c.SignatureAlgorithm {
		case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
			return fmt.Sprintf("the certificate %q is signed with %s, which is too weak", nameOf(c), c.SignatureAlgorithm)
		}
	}
	for _, c := range path {
		if weak := weakKey(c); weak != "" {
			return weak
		}
	}
	return ""
}

// minRSA is the shortest RSA key, in bits, that crypto/rsa verifies with.
const minRSA = 1024

// weakKey names a key that no signature is accepted from.
func weakKey(c *x509.Certificate) string {
	if key, ok := c.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < minRSA {
		return fmt.Sprintf("the certificate %q has an RSA key of %d bits, which is too weak", nameOf(c), key.N.BitLen())
	}
	return ""
}
