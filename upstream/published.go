package upstream

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	cryptoasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// parsePublished reads what an issuer publishes: one certificate in DER, a
// bundle of them ("certs-only" CMS, RFC 5280, section 4.2.2.1), or either in
// PEM, which no standard allows and some serve.
func parsePublished(body []byte) ([]*x509.Certificate, error) {
	if block, _ := pem.Decode(body); block != nil {
		return parsePEM(body)
	}
	certs := parseAll([][]byte{body})
	if len(certs) == 0 {
		certs = parseAll(bundled(body))
	}
	return certs, someOf(certs)
}

func parsePEM(body []byte) ([]*x509.Certificate, error) {
	var ders [][]byte
	for block, rest := pem.Decode(body); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE":
			ders = append(ders, block.Bytes)
		case "PKCS7":
			ders = append(ders, bundled(block.Bytes)...)
		}
	}
	certs := parseAll(ders)
	return certs, someOf(certs)
}

func someOf(certs []*x509.Certificate) error {
	if len(certs) == 0 {
		return errors.New("what is there is no certificate, neither in DER nor in PEM nor in a CMS bundle")
	}
	return nil
}

// parseAll reads at most maxChain certificates and leaves out what is none.
func parseAll(ders [][]byte) []*x509.Certificate {
	var certs []*x509.Certificate
	for _, der := range ders[:min(len(ders), maxChain)] {
		cert, err := parseCertificate(der)
		if err == nil {
			certs = append(certs, cert)
		}
	}
	return certs
}

// bundled returns the certificates of a CMS SignedData in DER, unread: those
// of an issuer's bundle, which nobody has signed (RFC 5652, sections 3 and
// 5.1). Nothing of it is verified.
func bundled(der []byte) [][]byte {
	optional := cryptoasn1.Tag(0).Constructed().ContextSpecific()
	input := cryptobyte.String(der)
	var info, content, signed, certs cryptobyte.String
	var kind asn1.ObjectIdentifier
	if !input.ReadASN1(&info, cryptoasn1.SEQUENCE) || !info.ReadASN1ObjectIdentifier(&kind) ||
		!kind.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}) ||
		!info.ReadASN1(&content, optional) || !content.ReadASN1(&signed, cryptoasn1.SEQUENCE) ||
		!signed.SkipASN1(cryptoasn1.INTEGER) || !signed.SkipASN1(cryptoasn1.SET) || !signed.SkipASN1(cryptoasn1.SEQUENCE) ||
		!signed.ReadASN1(&certs, optional) {
		return nil
	}
	var ders [][]byte
	for !certs.Empty() && len(ders) < maxChain {
		var cert cryptobyte.String
		if !certs.ReadASN1Element(&cert, cryptoasn1.SEQUENCE) {
			break
		}
		ders = append(ders, cert)
	}
	return ders
}
