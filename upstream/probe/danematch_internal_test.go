package probe

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// newCertificate makes a self-signed certificate for mx.example.
func newCertificate(t testing.TB) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mx.example"}, DNSNames: []string{"mx.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// FuzzTLSA promises that a record of the host's own certificate is good by
// exactly the data that stands for it, whatever else it says, and that its
// words are short.
func FuzzTLSA(f *testing.F) {
	mine, other := newCertificate(f), newCertificate(f)
	f.Add(uint8(3), uint8(1), uint8(1), uint8(0), []byte(nil))
	f.Add(uint8(3), uint8(0), uint8(0), uint8(1), []byte{1})
	f.Add(uint8(2), uint8(1), uint8(2), uint8(2), []byte("x"))
	f.Add(uint8(1), uint8(7), uint8(9), uint8(3), []byte("data"))
	f.Fuzz(func(t *testing.T, usage, selector, matching, from uint8, data []byte) {
		switch from % 3 { // mostly what a zone would hold
		case 0:
			data = append(bytes.Clone(association(mine, selector, matching)), data...)
		case 1:
			data = append(bytes.Clone(association(other, selector, matching)), data...)
		}
		r := tlsaOf(&dns.TLSA{Usage: usage, Selector: selector, MatchingType: matching, Certificate: hex.EncodeToString(data)})
		now, names := time.Now(), []string{"mx.example"}
		right := usage == usageEE && selector <= selectorKey && matching <= matchSHA512 && bytes.Equal(data, association(mine, selector, matching))
		if err := r.vouches([]*x509.Certificate{mine, other}, names, now); usage != usageTA && (err == nil) != right {
			t.Fatalf("%s: %v, want it good: %v", r, err, right)
		}
		if usage == usageTA && r.vouches([]*x509.Certificate{mine}, names, now) == nil && !bytes.Equal(data, mine.Raw) {
			t.Fatalf("%s: good without an authority", r)
		}
		if len(r.String()) > 50 || r.vouches(nil, names, now) == nil {
			t.Fatalf("%s: good without a chain, or too long for a line", r)
		}
		if len(data) > 0 && right {
			data[0] ^= 1
			r = tlsaOf(&dns.TLSA{Usage: usage, Selector: selector, MatchingType: matching, Certificate: hex.EncodeToString(data)})
			if r.vouches([]*x509.Certificate{mine, other}, names, now) == nil {
				t.Fatalf("%s: good with one bit changed", r)
			}
		}
	})
}

// TestTLSAGarbage takes no data that is not hexadecimal.
func TestTLSAGarbage(t *testing.T) {
	r := tlsaOf(&dns.TLSA{Usage: usageEE, Selector: selectorKey, MatchingType: matchFull, Certificate: "zz"})
	if r.flaw() == "" {
		t.Errorf("%s: got no flaw", r)
	}
}

// TestDANEWordsAreLegible has an error of verification quote a name of the
// certificate.
func TestDANEWordsAreLegible(t *testing.T) {
	record := tlsa{usage: usageEE, selector: selectorKey, matching: matchFull, data: []byte{1}}
	f := held{record, errors.New("is for \x1b[31mmx")}.found()
	if want := "is for ?[31mmx"; f.Result != daneMismatch || f.Text != want {
		t.Errorf("got %+v, want a mismatch, %q", f, want)
	}
}
