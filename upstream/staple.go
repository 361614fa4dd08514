package upstream

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"

	"golang.org/x/crypto/ocsp"

	"smtp-proxy/proxy/session"
)

// staplesOwed is the status of a leaf that demands an OCSP answer and came
// without one, although it was asked for.
const staplesOwed = "missing"

// readStaple reads the OCSP answer that came with the chain. Only one that is
// signed in the name of the leaf's issuer and in date says anything; revoked
// is the one status that takes trust away.
func (v verifier) readStaple(t *trust, leaf, issuer *x509.Certificate, staple []byte) {
	if len(staple) == 0 {
		if v.asked && mustStaple(leaf) {
			t.stapled = staplesOwed
		}
		return
	}
	t.stapled = "unknown"
	answer, err := ocsp.ParseResponseForCert(staple, leaf, issuer)
	if err == nil {
		err = v.maySay(answer, issuer)
	}
	if err != nil {
		return
	}
	switch answer.Status {
	case ocsp.Good:
		t.stapled = "good"
	case ocsp.Revoked:
		t.stapled = "revoked"
		t.add(session.VerifyRevoked, "the certificate of %s was revoked on %s, says the OCSP answer that came with it", v.host, day(answer.RevokedAt))
	}
}

// maySay checks what the library does not: the dates, and that a certificate
// of the issuer's which has signed in its place was made for that. Without it
// anybody with a certificate of the same issuer could answer (RFC 6960,
// section 4.2.2.2).
func (v verifier) maySay(answer *ocsp.Response, issuer *x509.Certificate) error {
	if v.now.Before(answer.ThisUpdate) || !answer.NextUpdate.IsZero() && v.now.After(answer.NextUpdate) {
		return errors.New("the answer is not of this time")
	}
	by := answer.Certificate
	if by == nil || by.Equal(issuer) {
		return nil
	}
	if v.now.Before(by.NotBefore) || v.now.After(by.NotAfter) || !slices.Contains(by.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) {
		return errors.New("who signed the answer may not")
	}
	return nil
}

// mustStaple reports that a certificate demands that its OCSP answer come with
// it (RFC 7633): the TLS feature status_request.
func mustStaple(leaf *x509.Certificate) bool {
	const statusRequest = 5
	for _, e := range leaf.Extensions {
		if !e.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}) {
			continue
		}
		var features []int
		_, err := asn1.Unmarshal(e.Value, &features)
		return err == nil && slices.Contains(features, statusRequest)
	}
	return false
}
