package upstream

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
)

// LoadRoots returns the system's roots and those of a PEM file, for
// --upstream-ca.
func LoadRoots(path string) (*x509.CertPool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read trusted roots: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a machine without roots still has those of the file
	}
	if err := addPEM(pool, data); err != nil {
		return nil, fmt.Errorf("trusted roots %s: %w", path, err)
	}
	return pool, nil
}

// addPEM adds all certificates of data, and refuses a file with none or with
// one that cannot be read: a root that is silently left out would show as a
// puzzling failure at the first session.
func addPEM(pool *x509.CertPool, data []byte) error {
	found := 0
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return fmt.Errorf("certificate %d cannot be read: %w", found+1, err)
		}
		pool.AddCert(cert)
		found++
	}
	if found == 0 {
		return fmt.Errorf("no certificate in it: it must hold PEM blocks that begin with -----BEGIN CERTIFICATE-----")
	}
	return nil
}
