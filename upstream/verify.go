package upstream

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
)

// How a chain is judged: x509 decides whether it is trusted; when it is not,
// what was sent is taken apart to find out why, since x509 reports the first
// reason it meets and calls most of them "unknown authority". Several things
// may be wrong at once. All are named; the first in this order gives the
// class: dates, because they are plain; then trust; then a weak key; then the
// name; then revocation.

// trust is the judgement of a chain.
type trust struct {
	fault   session.VerifyFault
	words   string              // all that is wrong, in words fit for the app
	lacks   string              // the issuer that is missing above the chain as sent
	stapled string              // status of the OCSP answer that came with it
	path    []*x509.Certificate // from the leaf to the trusted root; nil when none is reached
	adrift  bool                // no trusted root is reached, dates aside
}

// add notes one more thing that is wrong.
func (t *trust) add(fault session.VerifyFault, format string, args ...any) {
	words := fmt.Sprintf(format, args...)
	if t.fault == session.VerifyOK {
		t.fault, t.words = fault, words
		return
	}
	t.words += "; also, " + words
}

// verifier judges the chain of one handshake.
type verifier struct {
	roots *x509.CertPool // nil means the system's
	host  string
	now   time.Time
	asked bool // an OCSP answer was asked for

	// lacks says whether the issuer above the chain as sent is an intermediate;
	// nil where that has not been found out and conventions must decide.
	lacks *bool
}

// judge verifies the chain as sent, leaf first, and the OCSP answer with it.
func (v verifier) judge(chain []*x509.Certificate, staple []byte) trust {
	var t trust
	if len(chain) == 0 {
		t.add(session.VerifyOther, "the smarthost sent no certificate")
		return t
	}
	chain = chain[:min(len(chain), maxChain)]
	issuers, err := v.build(chain, v.now)
	if err == nil {
		t.path = issuers
	} else {
		issuers = linked(chain)
		v.explain(&t, issuers, chain, err)
	}
	if weak := weakKey(chain[0]); weak != "" && !t.adrift {
		t.add(session.VerifyWeak, "%s", weak)
	}
	if chain[0].VerifyHostname(bareHost(v.host)) != nil {
		t.add(session.VerifyName, "%s", nameWords(chain[0], v.host))
	}
	v.readStaple(&t, chain[0], issuers[min(1, len(issuers)-1)], staple)
	return t
}

// build is the library's judgement at a moment, the name left aside: the path
// to a trusted root. Without usages the first certificate must be a server's.
func (v verifier) build(chain []*x509.Certificate, at time.Time, usages ...x509.ExtKeyUsage) ([]*x509.Certificate, error) {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	paths, err := chain[0].Verify(x509.VerifyOptions{Roots: v.roots, Intermediates: between, CurrentTime: at, KeyUsages: usages})
	if err != nil {
		return nil, err
	}
	return paths[0], nil
}

// explain finds out why the chain is not trusted.
func (v verifier) explain(t *trust, path, chain []*x509.Certificate, err error) {
	v.explainDates(t, path)
	var invalid x509.CertificateInvalidError
	switch {
	case t.fault != session.VerifyOK:
		if err = v.dateless(path, chain); err == nil {
			return
		}
	case isDateError(err) && errors.As(err, &invalid):
		t.add(session.VerifyExpired, "the trusted root %q, to which the certificate of %s leads, is out of date: update the trusted roots",
			nameOf(invalid.Cert), v.host)
		return
	}
	v.explainTrust(t, path, chain, err)
}

// dateless is the library's judgement apart from dates: at a moment when all
// of the path was valid, or, when there was none, of what stands above the
// leaf. What cannot be judged passes.
func (v verifier) dateless(path, chain []*x509.Certificate) error {
	_, err := v.build(chain, commonTime(path))
	if isDateError(err) && len(path) > 1 {
		_, err = v.build(path[1:], v.now, x509.ExtKeyUsageAny)
	}
	if isDateError(err) {
		return nil
	}
	return err
}

func isDateError(err error) bool {
	var invalid x509.CertificateInvalidError
	return errors.As(err, &invalid) && invalid.Reason == x509.Expired
}

// explainDates names the certificates of the path that are out of date.
func (v verifier) explainDates(t *trust, path []*x509.Certificate) {
	for i, c := range path {
		what := "the certificate of " + v.host
		if i > 0 {
			what = fmt.Sprintf("the certificate of its issuer %q", nameOf(c))
		}
		switch {
		case v.now.After(c.NotAfter):
			t.add(session.VerifyExpired, "%s expired on %s, %s ago", what, day(c.NotAfter), span(v.now.Sub(c.NotAfter)))
		case v.now.Before(c.NotBefore):
			t.add(session.VerifyNotYetValid, "%s is valid only from %s on, and this machine's clock says %s",
				what, minute(c.NotBefore), minute(v.now))
		}
	}
}

// commonTime is a moment at which all certificates of a path were valid, if
// there is one.
func commonTime(path []*x509.Certificate) time.Time {
	at := path[0].NotBefore
	for _, c := range path {
		if c.NotBefore.After(at) {
			at = c.NotBefore
		}
	}
	return at.Add(time.Second)
}

// explainTrust says why a chain in date is not trusted.
func (v verifier) explainTrust(t *trust, path, chain []*x509.Certificate, err error) {
	t.adrift = true
	leaf, top := path[0], path[len(path)-1]
	if weak := weakness(path); weak != "" && !selfSigned(leaf) {
		t.add(session.VerifyWeak, "%s", weak)
		return
	}
	if !isTrustError(err) {
		t.add(session.VerifyOther, "%s", strings.TrimPrefix(err.Error(), "x509: "))
		return
	}
	if !selfSigned(top) {
		t.lacks = top.Issuer.String()
	}
	switch {
	case selfSigned(leaf):
		t.add(session.VerifySelfSigned, "the certificate %q of %s is self-signed and not trusted", nameOf(leaf), v.host)
	case v.lacksIntermediate(path, chain, err):
		t.add(session.VerifyIncomplete, "%s does not send the certificate of its issuer %q, without which no trusted root is reached",
			v.host, issuerName(top))
	default:
		t.add(session.VerifyUntrusted, "the certificate of %s leads to %q, which is not among the trusted roots%s",
			v.host, issuerName(top), v.rootless())
	}
}

// isTrustError tells "no way to a trusted root" from a flaw of a certificate
// (its usage, its constraints).
func isTrustError(err error) bool {
	var unknown x509.UnknownAuthorityError
	var noRoots x509.SystemRootsError
	return errors.As(err, &unknown) || errors.As(err, &noRoots)
}

// lacksIntermediate decides, for a chain whose top names an issuer that was
// not sent, whether that issuer is an intermediate or a root of its own. A
// root need not be sent, so the two look alike; what tells them apart are the
// conventions of those who issue.
func (v verifier) lacksIntermediate(path, chain []*x509.Certificate, err error) bool {
	top := path[len(path)-1]
	issuer := strings.ToLower(issuerName(top))
	switch {
	case selfSigned(top):
		return false // all was sent; the root is not trusted
	case v.lacks != nil:
		return *v.lacks
	case strings.Contains(err.Error(), "candidate authority"):
		return false // a root of that name is trusted, but it has another key
	case len(path) > 1:
		return false // with intermediates as usual, only the root is left out
	case len(chain) > 1:
		return true // what was sent beside the leaf has not issued it
	case len(top.IssuingCertificateURL) > 0:
		return true // public authorities say where the intermediate is; roots issue no leaves
	case strings.Contains(issuer, "root"):
		return false
	case v.roots != nil:
		return true // the owner has named the root that this should lead to
	}
	return strings.Contains(issuer, "intermediate") || strings.Contains(issuer, "issuing")
}

// rootless explains a machine without any trusted root, which a small
// container is.
func (v verifier) rootless() string {
	if v.roots != nil {
		return ""
	}
	if pool, err := x509.SystemCertPool(); err == nil && !pool.Equal(x509.NewCertPool()) {
		return ""
	}
	return " (this machine has none: install ca-certificates)"
}
