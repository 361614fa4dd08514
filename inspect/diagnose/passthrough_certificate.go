package diagnose

import (
	"fmt"
	"net"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// alertNames are the alerts by which a party refuses a certificate, in the
// words of RFC 8446, section 6.2.
func alertName(alert int) string {
	switch alert {
	case alertBadCertificate:
		return "bad_certificate"
	case alertUnsupportedCert:
		return "unsupported_certificate"
	case alertCertificateRevoked:
		return "certificate_revoked"
	case alertCertificateExpired:
		return "certificate_expired"
	case alertCertificateUnknown:
		return "certificate_unknown"
	case alertUnknownCA:
		return "unknown_ca"
	case alertAccessDenied:
		return "access_denied"
	}
	return fmt.Sprintf("alert %d", alert)
}

// refusedCertificate is an app that ended the handshake when it had seen the
// certificate; e is the entry that shows it. What is wrong with the
// certificate is read from the handshake, or from the answer of a probe where
// TLS 1.3 hides it.
func (x through) refusedCertificate(e *session.Entry, certainty inspect.Certainty) symptom {
	shown := x.shown()
	if shown == nil {
		return x.refusedUnseen(e, certainty)
	}
	if shown != x.upstream {
		certainty = atMost(certainty, inspect.Likely)
	}
	flaws := x.flaws(shown)
	cause := accused(e.Fault, flaws)
	var s symptom
	switch s = x.flawed(shown, cause); {
	case cause == "":
		s = x.refusedGood(e, shown)
		certainty = goodRefusal(e, certainty)
	case !agrees(e.Fault, cause) || len(flaws) > 1 && vague(e.Fault):
		certainty = atMost(certainty, inspect.Likely)
	}
	s.more = strings.TrimSpace(s.more + " " + besides(shown, flaws))
	s.weight, s.certainty = weightTLS, certainty
	s.evidence = []*session.Entry{e}
	if shown != e {
		s.evidence = append(s.evidence, shown)
	}
	s.more = strings.TrimSpace(x.howRefused(e) + " " + s.more)
	return s
}

// shown is the entry that has the upstream's certificate, nil when none has.
func (x through) shown() *session.Entry {
	for _, e := range []*session.Entry{x.upstream, x.probe(probeCertificate)} {
		if e != nil && e.TLS != nil && len(e.TLS.Chain) > 0 {
			return e
		}
	}
	return nil
}

// goodRefusal is how sure a refusal is of a certificate in which nothing is
// wrong: an alert in clear says it.
func goodRefusal(e *session.Entry, certainty inspect.Certainty) inspect.Certainty {
	if e.Fault != nil && e.Fault.Class == session.FaultAlert {
		return inspect.Certain
	}
	return atMost(certainty, inspect.Likely)
}

// vague reports an alert that libraries use for many flaws.
func vague(f *session.Fault) bool {
	return f != nil && (f.Alert == alertBadCertificate || f.Alert == alertCertificateUnknown)
}

// atMost lowers a certainty to a bound.
func atMost(c, most inspect.Certainty) inspect.Certainty {
	if c == inspect.Certain || c == inspect.Likely && most == inspect.Possible {
		return most
	}
	return c
}

// asked is the name that the app looks for in the certificate, as far as its
// handshake tells.
func (x through) asked() string {
	if x.app.TLS.ServerName != "" {
		return x.app.TLS.ServerName
	}
	if h := x.app.TLS.Hello; h != nil {
		return h.SNI
	}
	return ""
}

// certifies reports whether a certificate names a host (RFC 6125, section 6.4:
// a wildcard stands for one whole label).
func certifies(c *session.Certificate, host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	_, parent, _ := strings.Cut(host, ".")
	for _, name := range c.Names {
		name = strings.ToLower(name)
		if name == host || parent != "" && name == "*."+parent && net.ParseIP(host) == nil {
			return true
		}
	}
	return false
}

// wrongName is a certificate that does not have the name the app asked for:
// in passthrough often because the app was told this proxy's name.
func (x through) wrongName(shown *session.Entry, asked string) symptom {
	s := symptom{cause: "tls.certificate-name-mismatch", values: certificateValues(shown.TLS, shown.At)}
	s.more, s.first = interceptorWords(shown.TLS), interceptorFix(shown.TLS)
	if strings.EqualFold(asked, x.host) {
		return s
	}
	s.values["host"] = asked
	s.what = "The app asked for " + asked + ", and the certificate names {names}. In passthrough the app sees the smarthost's own certificate, so it must look for the smarthost's name there, and not for that of this proxy."
	s.fix = nameFix()
	return s
}

// refusedUnseen is a refusal of a certificate that nobody but the app has
// seen.
func (x through) refusedUnseen(e *session.Entry, certainty inspect.Certainty) symptom {
	s := oneOf("tls.app-rejected-certificate", weightTLS, e)
	s.certainty = atMost(certainty, inspect.Likely)
	s.title = "The app does not accept the certificate of {host}"
	s.what = "The app ended the handshake when it had seen the certificate of {host}. " + x.howRefused(e) + " The certificate itself is hidden by TLS 1.3 and was not asked for, so what is wrong with it is not known: its dates, its name, its issuer, or the app's list of roots."
	s.fix = []string{
		"See the certificate: openssl s_client -connect {host}:{port} -starttls smtp (without -starttls on port 465).",
		"Give the app a current list of roots, and the smarthost's own name as host.",
		"Run with --probe auto, and the proxy asks for the certificate itself when this happens.",
	}
	return s
}

// howRefused says what the app did, and when.
func (x through) howRefused(e *session.Entry) string {
	late := e.Kind == session.KindClose
	switch e.Fault.Class {
	case session.FaultAlert:
		return "The app's own words are the alert " + alertName(e.Fault.Alert) + "."
	case session.FaultHiddenAlert:
		if late {
			return "The app made the handshake and ended the connection at once, in good order. Programs that only look whether TLS works do that, and some that do not like the certificate."
		}
		return "The app's answer to the certificate was an encrypted message of the size of an alert, and then the end."
	}
	if late {
		return "The app made the handshake and left at once, without a word. Some libraries look at the certificate only then (Node.js); programs that only look whether TLS works leave like this, too."
	}
	return "The app left without a word when it had the certificate: " + x.story() + "."
}
