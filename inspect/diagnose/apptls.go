package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// appTLS reads the handshake on the app's leg, and an app that begins TLS
// where plaintext is due.
func appTLS(f *facts, found []symptom) []symptom {
	if e := f.note(session.OddTLSOnPlain); e != nil && e.Leg == session.App {
		return []symptom{tlsOnPlainPort(e)}
	}
	e := f.tls[session.App]
	switch {
	case e == nil || len(found) > 0:
		return nil
	case e.Fault == nil:
		return leftAfterHandshake(f, e)
	}
	if s, ok := f.brokenByApp(e); ok {
		return []symptom{s}
	}
	if s, ok := appHandshake(e); ok {
		return []symptom{s}
	}
	return nil
}

func tlsOnPlainPort(e *session.Entry) symptom {
	s := oneOf("tls.plaintext-expected", weightTLS, e)
	s.title = "The app begins with TLS on a port of this proxy that greets in clear text"
	s.what = "The first bytes from the app were a TLS handshake, and this port speaks plain SMTP first. In the app this is usually called SSL/TLS, as opposed to STARTTLS or none."
	s.fix = []string{
		"Switch TLS off in the app for the way to the proxy, or choose STARTTLS and run the proxy with --app-tls offer. The way to {host} is under TLS all the same.",
		"Or let this port expect TLS from the first byte: --app-tls implicit.",
		"nodemailer: secure: false; PHPMailer: SMTPSecure = ''; JavaMail: mail.smtp.ssl.enable=false; .NET: EnableSsl = false.",
	}
	return s
}

// appHandshake names why the app broke its handshake off, once it had begun.
func appHandshake(e *session.Entry) (symptom, bool) {
	s := oneOf("tls.app-rejected-certificate", weightTLS, e)
	s.values = appTLSValues(e)
	switch e.Fault.Class {
	case session.FaultAlert:
		s.cause, s.certainty = appAlert(e.Fault.Alert)
	case session.FaultVersion, session.FaultCipher:
		s.cause = "tls.app-version-mismatch"
	case session.FaultNotTLS:
		return plainOnTLSPort(e), true
	case session.FaultClosed, session.FaultReset:
		s.certainty = inspect.Likely
	default:
		return s, false
	}
	return s, true
}

func appAlert(alert int) (string, inspect.Certainty) {
	switch alert {
	case alertBadCertificate, alertUnsupportedCert, alertCertificateRevoked, alertCertificateExpired, alertCertificateUnknown, alertUnknownCA:
		return "tls.app-rejected-certificate", inspect.Certain
	case alertProtocolVersion, alertInsufficientSecurity, alertHandshakeFailure:
		return "tls.app-version-mismatch", inspect.Certain
	}
	return "tls.app-rejected-certificate", inspect.Likely
}

func plainOnTLSPort(e *session.Entry) symptom {
	s := oneOf("tls.implicit-expected", weightTLS, e)
	s.title = "The app speaks clear text to a port of this proxy that expects TLS from the first byte"
	s.what = "This port was set to --app-tls implicit, and what came from the app was no TLS handshake."
	s.fix = []string{
		"Switch SSL/TLS (not STARTTLS) on in the app, or run the proxy with --app-tls offer or none.",
	}
	return s
}

// leftAfterHandshake is an app that ended its leg when it had seen the
// certificate: in TLS 1.3 its alert comes when the proxy's handshake is done.
func leftAfterHandshake(f *facts, e *session.Entry) []symptom {
	left := f.closed[session.App]
	if left == nil || left.At.Sub(e.At) >= patience || f.spokeAfter(e.Seq) || f.refusedAfter(e.Seq) {
		return nil
	}
	s := oneOf("tls.app-rejected-certificate", weightTLS, left)
	s.evidence = append(s.evidence, e)
	s.values = map[string]string{"detail": "it left right after the handshake, without a word"}
	s.certainty = inspect.Likely
	if left.Fault != nil && left.Fault.Class == session.FaultAlert {
		s.cause, s.certainty = appAlert(left.Fault.Alert)
		s.values["detail"] = left.Fault.Text
	}
	return []symptom{s}
}

// spokeAfter reports whether the app said anything behind an entry.
func (f *facts) spokeAfter(seq int) bool {
	return slices.ContainsFunc(f.s.Events, func(e session.Entry) bool {
		return e.Seq > seq && e.From == session.FromApp && (e.Kind == session.KindCommand || e.Kind == session.KindAuth)
	})
}

// refusedAfter reports whether the app was refused behind an entry: reason
// enough to leave.
func (f *facts) refusedAfter(seq int) bool {
	return slices.ContainsFunc(f.replies, func(r reply) bool { return r.Seq > seq && r.Code >= 400 })
}

func appTLSValues(e *session.Entry) map[string]string {
	v := map[string]string{"detail": e.Fault.Text}
	if e.Fault.Class == session.FaultAlert {
		v["detail"] = fmt.Sprintf("%s, alert %d", e.Fault.Text, e.Fault.Alert)
	}
	if e.TLS != nil && e.TLS.Hello != nil && len(e.TLS.Hello.Versions) > 0 {
		v["version"] = strings.Join(e.TLS.Hello.Versions, ", ")
	}
	return v
}
