package probe

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// The numbers of a TLSA record that senders of mail go by (RFC 6698, section
// 2.1; RFC 7672, section 3.1).
const (
	usageTA      = 2 // DANE-TA: an authority
	usageEE      = 3 // DANE-EE: the host's own certificate
	selectorCert = 0
	selectorKey  = 1
	matchFull    = 0
	matchSHA256  = 1
	matchSHA512  = 2
	shownOctets  = 8 // of the data, in words
)

// tlsa is one record.
type tlsa struct {
	usage, selector, matching uint8
	data                      []byte
	bad                       bool // the data is no hex, which only a broken resolver sends
}

func tlsaOf(rr *dns.TLSA) tlsa {
	data, err := hex.DecodeString(rr.Certificate)
	return tlsa{usage: rr.Usage, selector: rr.Selector, matching: rr.MatchingType, data: data, bad: err != nil}
}

// String is the record as zone files have it, cut.
func (r tlsa) String() string {
	digits := hex.EncodeToString(r.data[:min(len(r.data), shownOctets)])
	if len(r.data) > shownOctets {
		digits += "…"
	}
	return fmt.Sprintf("%d %d %d %s", r.usage, r.selector, r.matching, digits)
}

// flaw says why senders of mail pass a record over; empty when they do not.
func (r tlsa) flaw() string {
	size, known := map[uint8]int{matchSHA256: sha256.Size, matchSHA512: sha512.Size, matchFull: len(r.data)}[r.matching]
	switch {
	case r.usage < usageTA:
		return fmt.Sprintf("usage %d relies on public authorities, which mail does not (RFC 7672, section 3.1.3)", r.usage)
	case r.usage > usageEE:
		return fmt.Sprintf("usage %d is not known", r.usage)
	case r.selector > selectorKey:
		return fmt.Sprintf("selector %d is not known", r.selector)
	case !known:
		return fmt.Sprintf("matching type %d is not known", r.matching)
	case r.bad || len(r.data) == 0 || len(r.data) != size:
		return fmt.Sprintf("it has %d octets of data where %d are due", len(r.data), size)
	}
	return ""
}

// association is what a record holds for a certificate.
func association(c *x509.Certificate, selector, matching uint8) []byte {
	part := c.Raw
	if selector == selectorKey {
		part = c.RawSubjectPublicKeyInfo
	}
	switch matching {
	case matchSHA256:
		sum := sha256.Sum256(part)
		return sum[:]
	case matchSHA512:
		sum := sha512.Sum512(part)
		return sum[:]
	}
	return part
}

// is reports whether the record is that of a certificate.
func (r tlsa) is(c *x509.Certificate) bool {
	return r.flaw() == "" && bytes.Equal(r.data, association(c, r.selector, r.matching))
}

// vouches returns nil if the record makes a chain good: of the host's own
// certificate neither dates nor names count (RFC 7672, section 3.1.1); beneath
// an authority both do (section 3.1.2).
func (r tlsa) vouches(chain []*x509.Certificate, names []string, now time.Time) error {
	switch {
	case r.flaw() != "":
		return errors.New(r.flaw())
	case len(chain) == 0:
		return errors.New("there is no certificate")
	case r.usage == usageEE && r.is(chain[0]):
		return nil
	case r.usage == usageEE:
		return errors.New("it is of another certificate")
	}
	anchor := r.anchor(chain)
	if anchor == nil {
		return errors.New("it is of no authority in the chain as sent")
	}
	return beneath(anchor, chain, names, now)
}

// anchor is the authority that the record means: one that the host sends, for
// the others' sake, or one that the record holds whole.
func (r tlsa) anchor(chain []*x509.Certificate) *x509.Certificate {
	if i := slices.IndexFunc(chain[1:], r.is); i >= 0 {
		return chain[1+i]
	}
	if r.selector == selectorCert && r.matching == matchFull {
		if whole, err := parseSent([][]byte{r.data}); err == nil {
			return whole[0]
		}
	}
	return nil
}

// beneath verifies a chain up to an authority.
func beneath(anchor *x509.Certificate, chain []*x509.Certificate, names []string, now time.Time) error {
	o := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: now}
	o.Roots.AddCert(anchor)
	for _, c := range chain[1:] {
		o.Intermediates.AddCert(c)
	}
	if _, err := chain[0].Verify(o); err != nil {
		return err
	}
	if !slices.ContainsFunc(names, func(name string) bool { return chain[0].VerifyHostname(name) == nil }) {
		return fmt.Errorf("the certificate is for none of the names %s", list(names))
	}
	return nil
}
