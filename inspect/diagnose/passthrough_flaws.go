package diagnose

import (
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
)

// certificateName is the cause of a certificate that lacks the name looked
// for.
const certificateName = "tls.certificate-name-mismatch"

// flaws are the causes for which an app may refuse a certificate, the one that
// most libraries would name first.
func (x through) flaws(shown *session.Entry) (all []string) {
	t := shown.TLS
	if t.Verify != session.VerifyOK && t.Verify != session.VerifyName {
		all = append(all, x.certificate(shown, shown).cause)
	}
	if t.Verify == session.VerifyName || x.misnamed(shown) {
		at := len(all)
		if t.Verify == session.VerifyOther {
			at = 0
		}
		all = slices.Insert(all, at, certificateName)
	}
	if t.Stapled == "revoked" && t.Verify != session.VerifyRevoked {
		all = append(all, "tls.certificate-revoked")
	}
	return all
}

// misnamed reports a certificate without the name that the app asked for.
func (x through) misnamed(shown *session.Entry) bool {
	asked := x.asked()
	return asked != "" && !certifies(&shown.TLS.Chain[0], asked)
}

// accused picks the flaw that an app's alert speaks of; it is empty when the
// alert speaks of something in which nothing is wrong here.
//
// OpenSSL has an alert of its own for dates, issuers and revocation, and
// bad_certificate for a name, for a weak key and for a date to come; rustls and
// NSS do alike. Go says bad_certificate of everything, and looks at the name
// before the issuer; Java says certificate_unknown of everything. So a name is
// never what the first three mean, and what the other two mean if it is wrong.
func accused(f *session.Fault, flaws []string) string {
	if len(flaws) == 0 {
		return ""
	}
	if f == nil || f.Class != session.FaultAlert {
		return flaws[0]
	}
	switch f.Alert {
	case alertBadCertificate, alertCertificateUnknown:
		return firstThat(flaws, func(c string) bool { return c == certificateName }, flaws[0])
	case alertCertificateRevoked, alertCertificateExpired, alertUnknownCA:
		other := firstThat(flaws, func(c string) bool { return c != certificateName }, "")
		return firstThat(flaws, func(c string) bool { return agrees(f, c) }, other)
	}
	return flaws[0]
}

func firstThat(causes []string, is func(string) bool, otherwise string) string {
	if i := slices.IndexFunc(causes, is); i >= 0 {
		return causes[i]
	}
	return otherwise
}

// agrees reports whether an app's alert may mean a cause: of a certificate with
// several flaws it names the one that its library met first.
func agrees(f *session.Fault, cause string) bool {
	if f == nil || f.Class != session.FaultAlert {
		return false
	}
	switch f.Alert {
	case alertCertificateExpired:
		return cause == "tls.certificate-expired" || cause == "tls.certificate-not-yet-valid" || cause == "tls.clock-skew"
	case alertUnknownCA:
		return cause == "tls.certificate-untrusted" || cause == "tls.certificate-self-signed" || cause == "tls.chain-incomplete" || cause == "tls.app-rejected-certificate"
	case alertCertificateRevoked:
		return cause == "tls.certificate-revoked"
	}
	return true
}

// flawed words one flaw of a certificate.
func (x through) flawed(shown *session.Entry, cause string) symptom {
	if cause == certificateName && x.misnamed(shown) {
		return x.wrongName(shown, x.asked())
	}
	s := x.certificate(shown, shown)
	s.cause, s.fix = cause, trustFix(cause)
	return s
}

// besides tells of the flaws of a certificate that are not what the app broke
// off for.
func besides(shown *session.Entry, flaws []string) string {
	if len(flaws) < 2 || shown.TLS.Error == "" {
		return ""
	}
	return "More than one thing is wrong with the certificate: " + strings.TrimRight(shown.TLS.Error, ".") + "."
}
