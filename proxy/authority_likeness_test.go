package proxy_test

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
)

// seen is what a smarthost showed three months ago, with changes.
func seen(change func(*session.TLS)) *session.TLS {
	then := time.Now().AddDate(0, -3, 0)
	s := &session.TLS{
		ServerName: "smtp.example.com",
		Chain: []session.Certificate{
			{
				Subject: `CN=smtp.example.com,O=Example\, Inc.,C=DE`, Issuer: "CN=Public CA", Key: "ECDSA P-384", Signature: "ECDSA-SHA384",
				Names: []string{"smtp.example.com", "*.example.com"}, NotBefore: then.AddDate(0, -1, 0), NotAfter: then.AddDate(0, 1, 0),
			},
			{Subject: "CN=Public CA", Issuer: "CN=Public Root", NotBefore: then.AddDate(-1, 0, 0), NotAfter: then.AddDate(5, 0, 0), CA: true},
		},
	}
	if change == nil {
		s.Verified = true
	} else {
		change(s)
	}
	return s
}

// An app that trusts the authority refuses the likeness for the reason for
// which the certificate itself was refused, or takes it.
func TestLikenessFailsAlike(t *testing.T) {
	a, err := proxy.EphemeralAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*session.TLS)
		want   string // in the error; empty for none
	}{
		"good": {nil, ""},
		"expired": {func(s *session.TLS) {
			s.Verify, s.Chain[0].NotAfter = session.VerifyExpired, time.Now().AddDate(0, -3, -1)
		}, "has expired or is not yet valid"},
		"an intermediate expired": {func(s *session.TLS) {
			s.Verify, s.Chain[1].NotAfter = session.VerifyExpired, time.Now().AddDate(0, -3, -1)
		}, "has expired or is not yet valid"},
		"not yet valid then, and valid by now": {func(s *session.TLS) {
			s.Verify, s.Chain[0].NotBefore = session.VerifyNotYetValid, time.Now().AddDate(0, -3, 1)
		}, "has expired or is not yet valid"},
		"another name": {func(s *session.TLS) {
			s.Verify, s.ServerName = session.VerifyName, "mail.example.net"
		}, "certificate is valid for *.example.com, smtp.example.com, not localhost"},
		"self-signed": {func(s *session.TLS) {
			s.Verify, s.Chain = session.VerifySelfSigned, s.Chain[:1]
			s.Chain[0].Issuer = s.Chain[0].Subject
		}, "signed by unknown authority"},
		"unknown root": {func(s *session.TLS) { s.Verify = session.VerifyUntrusted }, "signed by unknown authority"},
		"incomplete": {func(s *session.TLS) {
			s.Verify, s.Chain = session.VerifyIncomplete, s.Chain[:1]
		}, "signed by unknown authority"},
		"weak": {func(s *session.TLS) {
			s.Verify, s.Chain[0].Signature = session.VerifyWeak, "ECDSA-SHA1"
		}, "insecure algorithm ECDSA-SHA1"},
	} {
		t.Run(name, func(t *testing.T) {
			made := likeness(t, a, seen(c.change))
			if got := verdict(t, a, made); c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if got := made.Leaf.Subject.String(); got != `CN=smtp.example.com,O=Example\, Inc.,C=DE` {
				t.Errorf("got the subject %q", got)
			}
			if !slices.Contains(made.Leaf.DNSNames, "smtp.example.com") {
				t.Errorf("got the names %q, want the recorded ones among them", made.Leaf.DNSNames)
			}
		})
	}
}

func likeness(t *testing.T, a *proxy.Authority, s *session.TLS) *tls.Certificate {
	t.Helper()
	made, err := a.Likeness(s, time.Now().AddDate(0, -3, 0))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// verdict is what an app that trusts the authority makes of a certificate.
func verdict(t *testing.T, a *proxy.Authority, made *tls.Certificate) string {
	t.Helper()
	roots, above := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(a.Root())
	for _, der := range made.Certificate[1:] {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		above.AddCert(cert)
	}
	if _, err := made.Leaf.Verify(x509.VerifyOptions{DNSName: "localhost", Roots: roots, Intermediates: above}); err != nil {
		return err.Error()
	}
	return ""
}

func TestLikenessOfARevokedCertificate(t *testing.T) {
	a, err := proxy.EphemeralAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	made := likeness(t, a, seen(func(s *session.TLS) { s.Verify, s.Stapled = session.VerifyRevoked, "revoked" }))
	answer, err := ocsp.ParseResponseForCert(made.OCSPStaple, made.Leaf, a.Root())
	if err != nil || answer.Status != ocsp.Revoked {
		t.Errorf("got the staple %+v, %v; want one of this authority that says revoked", answer, err)
	}
}

// A chain that the record does not hold, or whose key is of another kind, still
// gives a certificate.
func TestLikenessOfLittle(t *testing.T) {
	a, err := proxy.EphemeralAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*session.TLS{
		"no chain": {},
		"RSA":      {Verified: true, Chain: []session.Certificate{{Key: "RSA 512", NotAfter: time.Now().Add(time.Hour)}}},
		"Ed25519":  {Verified: true, Chain: []session.Certificate{{Key: "Ed25519", NotAfter: time.Now().Add(time.Hour), Subject: "nonsense,=,CN"}}},
	} {
		if got := verdict(t, a, likeness(t, a, s)); got != "" {
			t.Errorf("%s: got %q, want a certificate that is trusted", name, got)
		}
	}
}
