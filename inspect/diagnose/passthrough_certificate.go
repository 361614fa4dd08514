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
	shown := x.upstream
	if len(shown.TLS.Chain) == 0 {
		shown, certainty = x.probe(probeCertificate), inspect.Likely
	}
	if shown == nil || shown.TLS == nil || len(shown.TLS.Chain) == 0 {
		return x.refusedUnseen(e)
	}
	s := x.judged(shown)
	if s.cause == "" {
		s = x.refusedGood(e, shown)
		certainty = inspect.Likely
		if e.Fault != nil && e.Fault.Class == session.FaultAlert {
			certainty = inspect.Certain
		}
	}
	if certainty == inspect.Certain && !agrees(e.Fault, s.cause) {
		certainty = inspect.Likely
	}
	s.weight, s.certainty = weightTLS, certainty
	s.evidence = []*session.Entry{e}
	if shown != e {
		s.evidence = append(s.evidence, shown)
	}
	s.more = strings.TrimSpace(x.howRefused(e) + " " + s.more)
	return s
}

// agrees reports whether an app's alert may mean a cause: of a certificate with
// several faults it names the one that its library met first.
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

// judged names what is wrong with a certificate as the app saw it; the cause
// is empty when nothing is.
func (x through) judged(shown *session.Entry) symptom {
	if asked := x.asked(); asked != "" && !certifies(&shown.TLS.Chain[0], asked) && mayBeName(shown.TLS.Verify) {
		return x.wrongName(shown, asked)
	}
	if shown.TLS.Verify == session.VerifyOK {
		return symptom{}
	}
	s := x.certificate(shown, shown)
	s.fix = trustFix(s.cause)
	return s
}

// mayBeName reports a verdict that does not outweigh a name that does not fit.
func mayBeName(v session.VerifyFault) bool {
	return v == session.VerifyOK || v == session.VerifyName || v == session.VerifyOther
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
	s.fix = []string{
		"Let the app connect under the name of the smarthost: an entry for it with this proxy's address in /etc/hosts, or --transparent with a firewall rule.",
		"Or let the proxy end TLS on the app's leg: --tls terminate --app-tls offer, with a certificate for localhost.",
		"Some libraries take the name to verify apart from the address: nodemailer tls.servername, Go tls.Config.ServerName.",
	}
	return s
}

// refusedGood is an app that refuses a certificate in which nothing is wrong
// by this machine's roots and clock.
func (x through) refusedGood(e, shown *session.Entry) symptom {
	s := symptom{cause: "tls.app-rejected-certificate", values: certificateValues(shown.TLS, shown.At)}
	s.title = "The app does not trust the certificate of {host}"
	s.what = "The certificate of {host} (for {names}, issued by {issuer}) verifies on this machine, and the app refused it: it has another list of roots, an old one or none, or expects another name."
	if shown.Kind == session.KindProbe {
		s.what = "TLS 1.3 hides the certificate on its way, so the proxy asked {host} for it: it is for {names}, issued by {issuer}, and verifies on this machine. The app refused it all the same: it has another list of roots, an old one or none, or expects another name."
	}
	s.fix = []string{
		"Give the app a current list of roots: install ca-certificates in its container; Java keeps its own (cacerts), so do Node.js (NODE_EXTRA_CA_CERTS) and Python (certifi, SSL_CERT_FILE).",
		"Check which host name the app was told: the certificate is for {names}, and an app that connects to localhost or an address looks for that.",
	}
	if e.Fault != nil && e.Fault.Alert == alertCertificateExpired {
		s.fix = append([]string{"Check the clock where the app runs: it says that the certificate has expired, and it is valid until {not_after}."}, s.fix...)
	}
	return s
}

// refusedUnseen is a refusal of a certificate that nobody but the app has
// seen.
func (x through) refusedUnseen(e *session.Entry) symptom {
	s := oneOf("tls.app-rejected-certificate", weightTLS, e)
	s.certainty = inspect.Likely
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
	if e.Kind == session.KindClose && e.Fault.Class != session.FaultAlert && e.Fault.Class != session.FaultHiddenAlert {
		return "The app made the handshake and left at once, without a word."
	}
	switch e.Fault.Class {
	case session.FaultAlert:
		return "The app's own words are the alert " + alertName(e.Fault.Alert) + "."
	case session.FaultHiddenAlert:
		return "The app's answer to the certificate was an encrypted message of the size of an alert, and then the end."
	}
	return "The app left without a word when it had the certificate: " + x.story() + "."
}
