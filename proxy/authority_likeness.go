package proxy

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ocsp"

	"smtp-proxy/proxy/session"
)

// Likeness returns a certificate that stands for one which a smarthost showed
// at a time: an app that trusts this authority takes or refuses it as one that
// trusts the smarthost's would have done, for the same reason. Subject, names,
// kind of key and dates are those of the other one. One that named the
// smarthost rightly names this machine as well, since that is where the app
// finds it now.
//
// The root may sign no further authorities, so where an intermediate was at
// fault the leaf has the fault instead.
func (a *Authority) Likeness(seen *session.TLS, at time.Time) (*tls.Certificate, error) {
	if len(seen.Chain) == 0 {
		return a.issue(ownNames(), a.clock())
	}
	template := likenessOf(seen, at, a.clock())
	key, err := likeKey(seen.Chain[0].Key)
	if err != nil {
		return nil, err
	}
	parent, signer, above, err := a.signerLike(seen, template, key)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate for %s: %w", template.Subject, err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read back a certificate: %w", err)
	}
	made := &tls.Certificate{Certificate: append([][]byte{der}, above...), PrivateKey: key, Leaf: leaf}
	return made, a.revoke(made, seen)
}

// likenessOf fills in what the leaf says.
func likenessOf(seen *session.TLS, at, now time.Time) *x509.Certificate {
	leaf := seen.Chain[0]
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      distinguished(leaf.Subject),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	template.NotBefore, template.NotAfter = likeDates(seen, at, now)
	names := slices.Clone(leaf.Names)
	if named(seen) {
		names = append(names, ownNames()...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	if seen.Verify == session.VerifyWeak && strings.HasSuffix(leaf.Signature, "SHA1") {
		template.SignatureAlgorithm = x509.ECDSAWithSHA1
		if strings.HasPrefix(leaf.Key, "RSA") {
			template.SignatureAlgorithm = x509.SHA1WithRSA
		}
	}
	return template
}

// named reports whether the certificate was for the name that was asked for.
func named(seen *session.TLS) bool {
	if seen.Verified || seen.Verify == session.VerifyName {
		return seen.Verified
	}
	leaf := x509.Certificate{}
	for _, name := range seen.Chain[0].Names {
		if ip := net.ParseIP(name); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, name)
		}
	}
	return seen.ServerName == "" || leaf.VerifyHostname(seen.ServerName) == nil
}

// likeDates keeps the dates while they say now what they said then; they move
// with time where they do not.
func likeDates(seen *session.TLS, at, now time.Time) (from, until time.Time) {
	from, until = seen.Chain[0].NotBefore, seen.Chain[0].NotAfter
	for _, c := range seen.Chain {
		if seen.Verify == session.VerifyExpired && c.NotAfter.Before(until) {
			until = c.NotAfter
		}
		if seen.Verify == session.VerifyNotYetValid && c.NotBefore.After(from) {
			from = c.NotBefore
		}
	}
	from = earlier(from, until.Add(-time.Hour))
	if at.Before(from) != now.Before(from) || at.After(until) != now.After(until) {
		from, until = from.Add(now.Sub(at)), until.Add(now.Sub(at))
	}
	return from, until
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// likeKey makes a key of the recorded kind.
func likeKey(kind string) (crypto.Signer, error) {
	var bits int
	if n, _ := fmt.Sscanf(kind, "RSA %d", &bits); n == 1 {
		return rsa.GenerateKey(rand.Reader, min(max(bits, 1024), 4096))
	}
	curve := map[string]elliptic.Curve{"ECDSA P-384": elliptic.P384(), "ECDSA P-521": elliptic.P521()}[kind]
	if curve == nil {
		curve = elliptic.P256()
	}
	return ecdsa.GenerateKey(curve, rand.Reader)
}

// signerLike chooses who signs: this authority what was good, the certificate
// itself what signed itself, and somebody whom nobody knows the rest. above is
// what is sent beside the leaf.
func (a *Authority) signerLike(seen *session.TLS, template *x509.Certificate, own crypto.Signer) (parent *x509.Certificate, signer crypto.Signer, above [][]byte, err error) {
	switch seen.Verify {
	case session.VerifySelfSigned:
		if len(seen.Chain) == 1 {
			return template, own, nil, nil
		}
	case session.VerifyUntrusted, session.VerifyIncomplete:
	default:
		return a.root, a.key, nil, nil
	}
	last := seen.Chain[len(seen.Chain)-1]
	stranger, key, err := newStranger(distinguished(last.Issuer), a.clock())
	if err != nil {
		return nil, nil, nil, err
	}
	if last.Subject == last.Issuer && len(seen.Chain) > 1 {
		above = [][]byte{stranger.Raw}
	}
	return stranger, key, above, nil
}

// newStranger makes an authority that is in nobody's trust store.
func newStranger(name pkix.Name, now time.Time) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: name, NotBefore: now.AddDate(-10, 0, 0), NotAfter: now.AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, fmt.Errorf("sign %s: %w", name, err)
	}
	cert, err := x509.ParseCertificate(der)
	return cert, key, err
}

// revoke staples what the smarthost's authority said of a certificate that it
// had revoked.
func (a *Authority) revoke(made *tls.Certificate, seen *session.TLS) error {
	if seen.Stapled != "revoked" || made.Leaf.CheckSignatureFrom(a.root) != nil {
		return nil
	}
	now := a.clock()
	staple, err := ocsp.CreateResponse(a.root, a.root, ocsp.Response{
		Status: ocsp.Revoked, SerialNumber: made.Leaf.SerialNumber, RevokedAt: now.Add(-clockSlop),
		ThisUpdate: now.Add(-clockSlop), NextUpdate: now.Add(24 * time.Hour),
	}, a.key)
	made.OCSPStaple = staple
	return err
}

// distinguished reads a name as records hold it (RFC 4514), as far as
// certificates of servers use it; what it cannot read it leaves out.
func distinguished(text string) (n pkix.Name) {
	for _, part := range strings.Split(strings.ReplaceAll(text, `\,`, "\x00"), ",") {
		kind, value, _ := strings.Cut(part, "=")
		value = strings.ReplaceAll(strings.ReplaceAll(value, "\x00", ","), `\`, "")
		switch strings.TrimSpace(kind) {
		case "CN":
			n.CommonName = value
		case "O":
			n.Organization = append(n.Organization, value)
		case "OU":
			n.OrganizationalUnit = append(n.OrganizationalUnit, value)
		case "C":
			n.Country = append(n.Country, value)
		case "ST":
			n.Province = append(n.Province, value)
		case "L":
			n.Locality = append(n.Locality, value)
		}
	}
	return n
}
