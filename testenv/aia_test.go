package testenv_test

import (
	"crypto/x509"
	"io"
	"net/http"
	"testing"

	"smtp-proxy/testenv"
)

// A leaf served without its intermediate says where that is, and with what is
// there the chain verifies.
func TestPublishedIntermediateCompletesTheChain(t *testing.T) {
	ca, err := testenv.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	end, err := ca.Publish()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.WithoutIntermediate("mail.example.com")
	if err != nil {
		t.Fatal(err)
	}
	url := leaf.Leaf.IssuingCertificateURL[0]
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	der, _ := io.ReadAll(r.Body)
	issuer, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatalf("%s: got %d octets: %v", url, len(der), err)
	}
	between := x509.NewCertPool()
	between.AddCert(issuer)
	if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: ca.Pool(), Intermediates: between}); err != nil {
		t.Errorf("with %s: %v", issuer.Subject, err)
	}
	if err := end(); err != nil {
		t.Errorf("end: %v", err)
	}
	if _, err := http.Get(url); err == nil {
		t.Errorf("%s: still there behind its end", url)
	}
}
