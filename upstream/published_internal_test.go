package upstream

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cryptoasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// bundle makes a certs-only CMS SignedData as issuers publish it.
func bundle(ders ...[]byte) []byte {
	optional := cryptoasn1.Tag(0).Constructed().ContextSpecific()
	var b cryptobyte.Builder
	b.AddASN1(cryptoasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2})
		b.AddASN1(optional, func(b *cryptobyte.Builder) {
			b.AddASN1(cryptoasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(1)
				b.AddASN1(cryptoasn1.SET, func(*cryptobyte.Builder) {})
				b.AddASN1(cryptoasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1})
				})
				b.AddASN1(optional, func(b *cryptobyte.Builder) {
					for _, der := range ders {
						b.AddBytes(der)
					}
				})
				b.AddASN1(cryptoasn1.SET, func(*cryptobyte.Builder) {})
			})
		})
	})
	return b.BytesOrPanic()
}

func TestParsePublished(t *testing.T) {
	key := newTestKey(t)
	a, b := sign(t, "A", key, nil), sign(t, "B", key, nil)
	inPEM := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	tests := []struct {
		name string
		body []byte
		want []*signer
	}{
		{"DER", a.cert.Raw, []*signer{a}},
		{"PEM", inPEM("CERTIFICATE", a.cert.Raw), []*signer{a}},
		{"two in PEM, with words", append(append([]byte("Bag Attributes\n"), inPEM("CERTIFICATE", a.cert.Raw)...), inPEM("CERTIFICATE", b.cert.Raw)...), []*signer{a, b}},
		{"a bundle", bundle(a.cert.Raw, b.cert.Raw), []*signer{a, b}},
		{"a bundle in PEM", inPEM("PKCS7", bundle(b.cert.Raw)), []*signer{b}},
		{"a bundle with one that cannot be read", bundle([]byte{0x30, 0}, b.cert.Raw), []*signer{b}},
		{"an empty bundle", bundle(), nil},
		{"a cut bundle", bundle(a.cert.Raw)[:100], nil},
		{"a key", inPEM("PRIVATE KEY", a.cert.Raw), nil},
		{"nothing", nil, nil},
		{"a page", []byte("<html>"), nil},
	}
	for _, tt := range tests {
		got, err := parsePublished(tt.body)
		same := slices.EqualFunc(got, tt.want, func(c *x509.Certificate, s *signer) bool { return c.Equal(s.cert) })
		if !same || (err == nil) != (len(tt.want) > 0) {
			t.Errorf("%s: %d certificates, error %v; want %d", tt.name, len(got), err, len(tt.want))
		}
	}
}

// FuzzBundled checks that what goes into a bundle comes out of it, and that
// what is no bundle yields parts of itself at most.
func FuzzBundled(f *testing.F) {
	f.Add([]byte{1, 2}, []byte{})
	f.Add([]byte("certificate"), bundle([]byte{0x30, 1, 0}))
	f.Fuzz(func(t *testing.T, content, raw []byte) {
		var b cryptobyte.Builder
		b.AddASN1(cryptoasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(content) })
		element := b.BytesOrPanic()
		if got := bundled(bundle(element, element)); len(got) != 2 || !bytes.Equal(got[0], element) || !bytes.Equal(got[1], element) {
			t.Errorf("bundled %x twice, got %x", element, got)
		}
		for _, der := range bundled(raw) {
			if !bytes.Contains(raw, der) {
				t.Errorf("from %x came %x, which is no part of it", raw, der)
			}
		}
	})
}
