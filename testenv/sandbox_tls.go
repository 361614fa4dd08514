package testenv

import (
	"crypto/tls"
	"time"
)

// lastingLeaf returns a certificate for hostname and the names of the own
// machine, and the PEM of the fresh authority that a client must trust. Unlike
// those of a [CA] it is good for a year: a sandbox may run for long.
func lastingLeaf(hostname string) (tls.Certificate, []byte, error) {
	year := validity{until: time.Now().AddDate(1, 0, 0)}
	root, err := newAuthority("smtp-proxy sandbox root", nil, year)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := newLeaf([]string{hostname, "localhost", "127.0.0.1", "::1"}, year)
	template.IssuingCertificateURL = nil // the root signs it itself: nothing is missing in between
	leaf, err := sign(template, root)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	return leaf.served(), (&CA{root: root}).PEM(), nil
}
