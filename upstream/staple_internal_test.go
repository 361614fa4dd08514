package upstream

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"smtp-proxy/proxy/session"
)

// answerFor is an OCSP answer about leaf, signed by responder in issuer's name.
func answerFor(t *testing.T, leaf, issuer, responder *signer, change func(*ocsp.Response)) []byte {
	t.Helper()
	now := time.Now()
	template := ocsp.Response{
		Status: ocsp.Good, SerialNumber: leaf.cert.SerialNumber, IssuerHash: crypto.SHA256,
		ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(time.Minute),
	}
	if responder != issuer {
		template.Certificate = responder.cert
	}
	change(&template)
	der, err := ocsp.CreateResponse(issuer.cert, responder.cert, template, responder.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestStaple(t *testing.T) {
	issuer, stranger := sign(t, "Acme", newTestKey(t), nil), sign(t, "Acme", newTestKey(t), nil)
	leaf, neighbour := sign(t, "mail.example", newTestKey(t), issuer), sign(t, "evil.example", newTestKey(t), issuer)
	usage := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} }
	delegate := signAs(t, "Acme responder", newTestKey(t), issuer, usage)
	retired := signAs(t, "Acme responder", newTestKey(t), issuer, func(c *x509.Certificate) {
		usage(c)
		c.NotAfter = time.Now().Add(-time.Minute)
	})
	forged := signAs(t, "Acme responder", newTestKey(t), stranger, usage)
	as := func(status int) func(*ocsp.Response) {
		return func(r *ocsp.Response) { r.Status, r.RevokedAt = status, time.Now().Add(-time.Hour) }
	}
	plain := func(*ocsp.Response) {}
	tests := []struct {
		name  string
		der   []byte
		want  string
		fault session.VerifyFault
	}{
		{"none", nil, "", ""},
		{"good", answerFor(t, leaf, issuer, issuer, plain), "good", ""},
		{"good, by a delegate", answerFor(t, leaf, issuer, delegate, plain), "good", ""},
		{"revoked", answerFor(t, leaf, issuer, issuer, as(ocsp.Revoked)), "revoked", session.VerifyRevoked},
		{"revoked, by a delegate", answerFor(t, leaf, issuer, delegate, as(ocsp.Revoked)), "revoked", session.VerifyRevoked},
		{"unknown", answerFor(t, leaf, issuer, issuer, as(ocsp.Unknown)), "unknown", ""},
		{"outdated", answerFor(t, leaf, issuer, issuer, func(r *ocsp.Response) { r.NextUpdate = time.Now().Add(-time.Second) }), "unknown", ""},
		{"of the future", answerFor(t, leaf, issuer, issuer, func(r *ocsp.Response) { r.ThisUpdate = time.Now().Add(time.Hour) }), "unknown", ""},
		{"revoked, signed by a stranger", answerFor(t, leaf, issuer, stranger, as(ocsp.Revoked)), "unknown", ""},
		{"revoked, by a delegate of a stranger", answerFor(t, leaf, issuer, forged, as(ocsp.Revoked)), "unknown", ""},
		{"revoked, by another server of that issuer", answerFor(t, leaf, issuer, neighbour, as(ocsp.Revoked)), "unknown", ""},
		{"revoked, by a delegate out of date", answerFor(t, leaf, issuer, retired, as(ocsp.Revoked)), "unknown", ""},
		{"about another certificate", answerFor(t, neighbour, issuer, issuer, plain), "unknown", ""},
		{"no OCSP", []byte("no"), "unknown", ""},
	}
	for _, tt := range tests {
		v := verifier{host: "mail.example", now: time.Now(), roots: x509.NewCertPool()}
		v.roots.AddCert(issuer.cert)
		got := v.judge([]*x509.Certificate{leaf.cert}, tt.der)
		if got.stapled != tt.want || got.fault != tt.fault {
			t.Errorf("%s: stapled %q, fault %q (%s); want %q, %q", tt.name, got.stapled, got.fault, got.words, tt.want, tt.fault)
		}
	}
}

func TestMustStaple(t *testing.T) {
	feature := func(features ...int) func(*x509.Certificate) {
		value, err := asn1.Marshal(features)
		if err != nil {
			t.Fatal(err)
		}
		return func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}, Value: value}}
		}
	}
	issuer := sign(t, "Acme", newTestKey(t), nil)
	tests := []struct {
		name  string
		leaf  *signer
		asked bool
		want  string
	}{
		{"demanded", signAs(t, "mail.example", newTestKey(t), issuer, feature(5)), true, "missing"},
		{"demanded, and not asked for", signAs(t, "mail.example", newTestKey(t), issuer, feature(5)), false, ""},
		{"another feature", signAs(t, "mail.example", newTestKey(t), issuer, feature(17)), true, ""},
		{"not demanded", sign(t, "mail.example", newTestKey(t), issuer), true, ""},
	}
	for _, tt := range tests {
		v := verifier{host: "mail.example", now: time.Now(), roots: x509.NewCertPool(), asked: tt.asked}
		v.roots.AddCert(issuer.cert)
		got := v.judge([]*x509.Certificate{tt.leaf.cert}, nil)
		if got.stapled != tt.want || got.fault != session.VerifyOK {
			t.Errorf("%s: stapled %q, fault %q; want %q and trusted", tt.name, got.stapled, got.fault, tt.want)
		}
	}
}
