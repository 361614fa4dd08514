package upstream

import (
	"crypto/x509"

	"golang.org/x/crypto/ocsp"

	"smtp-proxy/proxy/session"
)

// readStaple reads the OCSP answer that came with the chain. Only one that is
// signed by the leaf's issuer and in date says anything; revoked is the one
// status that takes trust away.
func (v verifier) readStaple(t *trust, leaf, issuer *x509.Certificate, staple []byte) {
	if len(staple) == 0 {
		return
	}
	t.stapled = "unknown"
	answer, err := ocsp.ParseResponseForCert(staple, leaf, issuer)
	if err != nil || v.now.Before(answer.ThisUpdate) || !answer.NextUpdate.IsZero() && v.now.After(answer.NextUpdate) {
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
