package testenv

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// CA is a certificate authority for one test: a root, and one intermediate
// beneath it. Its leaves are issued by the intermediate, as those of public
// authorities are.
type CA struct {
	root         *authority
	intermediate *authority
	issuer       string // URL of the intermediate; empty until it is published
}

// NewCA makes an authority with fresh keys.
func NewCA() (*CA, error) { return newCA(ownName, validity{}) }

// NewExpiredCA makes an authority whose root ended yesterday, as an old trust
// store holds it; all beneath it is in date.
func NewExpiredCA() (*CA, error) {
	now := time.Now()
	return newCA(ownName, validity{from: now.Add(-48 * time.Hour), until: now.Add(-24 * time.Hour)})
}

// ownName begins the names of an authority that plays nobody else's.
const ownName = "smtp-proxy test"

func newCA(name string, ofRoot validity) (*CA, error) {
	root, err := newAuthority(name+" root", nil, ofRoot)
	if err != nil {
		return nil, err
	}
	intermediate, err := newAuthority(name+" intermediate", root, validity{})
	if err != nil {
		return nil, err
	}
	return &CA{root: root, intermediate: intermediate}, nil
}

// PEM returns the root in PEM, the form that --upstream-ca reads.
func (ca *CA) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.root.cert.Raw})
}

// PEM returns the first certificate that c presents.
func PEM(c tls.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}))
}

// Root returns the root certificate.
func (ca *CA) Root() *x509.Certificate { return ca.root.cert }

// Pool returns a pool that holds the root and nothing else.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.root.cert)
	return pool
}

// authority is one signing certificate and its key.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// validity is the time a certificate is good for; the zero value means from
// an hour ago until a day ahead.
type validity struct{ from, until time.Time }

func (v validity) orDefault() validity {
	if v.from.IsZero() {
		v.from = time.Now().Add(-time.Hour)
	}
	if v.until.IsZero() {
		v.until = time.Now().Add(24 * time.Hour)
	}
	return v
}

// newAuthority makes a certificate that may sign others; without a parent it
// signs itself.
func newAuthority(name string, parent *authority, valid validity) (*authority, error) {
	template := newTemplate(name, valid)
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	return sign(template, parent)
}

// newTemplate fills in what every certificate here has in common.
func newTemplate(name string, valid validity) *x509.Certificate {
	valid = valid.orDefault()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic("testenv: no random numbers: " + err.Error())
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name, Organization: []string{"smtp-proxy test"}},
		NotBefore:    valid.from,
		NotAfter:     valid.until,
	}
}

// newLeaf is the template of a server's certificate for names, which may be
// host names and IP addresses.
func newLeaf(names []string, valid validity) *x509.Certificate {
	template := newTemplate("smtp-proxy test leaf", valid)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.IssuingCertificateURL = []string{"http://ca.invalid/intermediate.crt"}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
			continue
		}
		template.DNSNames = append(template.DNSNames, name)
	}
	return template
}

// sign makes a key for template and has it signed by parent, or by itself.
func sign(template *x509.Certificate, parent *authority) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	if parent == nil {
		parent = &authority{cert: template, key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent.cert, key.Public(), parent.key)
	if err != nil {
		return nil, fmt.Errorf("sign certificate %q: %w", template.Subject.CommonName, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read back certificate %q: %w", template.Subject.CommonName, err)
	}
	return &authority{cert: cert, key: key}, nil
}

// served is the certificate as a TLS server presents it, leaf first.
func (a *authority) served(above ...*authority) tls.Certificate {
	c := tls.Certificate{
		Certificate: [][]byte{a.cert.Raw},
		PrivateKey:  a.key,
		Leaf:        a.cert,
	}
	for _, b := range above {
		c.Certificate = append(c.Certificate, b.cert.Raw)
	}
	return c
}
