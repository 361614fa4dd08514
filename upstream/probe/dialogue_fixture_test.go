package probe_test

import "crypto/x509"

// rootsOf reads an authority's certificate.
func rootsOf(pem []byte) *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return roots
}
