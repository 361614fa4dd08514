package diagnose

import (
	"fmt"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// upstreamBroke names why the upstream ended the handshake with the app; e is
// the entry that shows it.
func (x through) upstreamBroke(e *session.Entry) (symptom, bool) {
	s := oneOf("", weightTLS, e)
	s.values = x.values(e)
	switch e.Fault.Class {
	case session.FaultAlert:
		return x.upstreamAlerted(s, e), true
	case session.FaultHiddenAlert:
		s.cause, s.certainty = "tls.client-certificate-required", inspect.Likely
		s.more = x.askedWords(&s)
		return s, true
	case session.FaultClosed, session.FaultReset:
		return x.upstreamCut(s, e), true
	case session.FaultTimeout:
		return x.noAnswer(e, ""), true
	case session.FaultNotTLS:
		return x.plaintext(e), true
	case session.FaultCorrupt:
		s.cause = "tls.handshake-corrupt"
		return s, true
	}
	return symptom{}, false
}

func (x through) upstreamAlerted(s symptom, e *session.Entry) symptom {
	asked := *x.upstream.TLS
	asked.AskedCert = x.askedCertificate()
	s.cause, s.certainty = alertCause(e.Fault, &asked)
	switch s.cause {
	case "tls.client-certificate-required":
		s.more = x.askedWords(&s)
	case "tls.version-mismatch", "tls.cipher-mismatch":
		return x.refusedOffer(s)
	case "tls.handshake-reset":
		s.what = "{host} ended the handshake with the app by " + alertName(e.Fault.Alert) + ": " + x.story() + "."
	}
	return s
}

// upstreamCut is an upstream that ended the connection in the handshake
// without an alert.
func (x through) upstreamCut(s symptom, e *session.Entry) symptom {
	s.cause = "tls.handshake-reset"
	how := "closed"
	if e.Fault.Class == session.FaultReset {
		how = "reset"
	}
	if !x.answered() {
		s.what = fmt.Sprintf("%s %s the connection right after the app's ClientHello, without an alert. A firewall that does not like the connection does that in the smarthost's name; a smarthost does it to an offer that it does not understand.", "{host}", how)
		return x.refusedOffer(s)
	}
	if x.lastFrom() == session.App.String() && x.askedCertificate() {
		s.cause, s.certainty = "tls.client-certificate-required", inspect.Likely
		s.more = x.askedWords(&s)
		return s
	}
	s.what = fmt.Sprintf("{host} %s the connection in the middle of the handshake, without an alert: %s.", how, x.story())
	return s
}

// refusedOffer sharpens a refusal of the app's ClientHello by what the offer
// lacks and by what probes found out about the smarthost.
func (x through) refusedOffer(s symptom) symptom {
	cut := s.cause == "tls.handshake-reset"
	direct, through := x.probe(inspect.ProbeDirect), x.probe(probeCertificate)
	works := through != nil && through.Fault == nil && through.TLS != nil && through.TLS.Version != ""
	switch {
	case x.outdated() && (!cut || works):
		s = x.outdatedApp(s)
		if cut {
			s.certainty = inspect.Likely
		}
	case direct != nil && aboutOffer(direct.Probe.Cause):
		if s.what = ""; s.cause != direct.Probe.Cause {
			s.cause, s.certainty = direct.Probe.Cause, inspect.Likely
		}
	case x.asked() == "" && works && through.TLS.ServerName != "":
		s.cause, s.certainty, s.what = "tls.sni-required", inspect.Likely, "The app's handshake names no server, and {host} ended it; the proxy's own handshake, which did name {host}, got through. An app sends no name when it connects to an address, or when its library is old."
		s.evidence = append(s.evidence, through)
	}
	if direct != nil && direct.Probe.Cause == s.cause {
		s.evidence = append(s.evidence, direct)
		s.more = predicted(direct)
	}
	if s.cause == "tls.version-mismatch" {
		s = x.noVersion(s)
	}
	return s
}

// aboutOffer reports a cause that lies in what a ClientHello offers.
func aboutOffer(cause string) bool {
	switch cause {
	case "tls.version-mismatch", "tls.cipher-mismatch", "tls.app-version-mismatch", "tls.sni-required":
		return true
	}
	return false
}

// askedCertificate reports that the smarthost asks for a client certificate:
// seen on its way up to TLS 1.2, by a probe above.
func (x through) askedCertificate() bool {
	p := x.probe(probeCertificate)
	return x.upstream.TLS.AskedCert || p != nil && p.TLS != nil && p.TLS.AskedCert
}

// askedWords says how it is known that a certificate was asked for, and makes
// a symptom certain where that was seen.
func (x through) askedWords(s *symptom) string {
	switch {
	case x.upstream.TLS.AskedCert:
		s.certainty = inspect.Certain
		return "It asked the app for a certificate in this handshake, and ended it when none came."
	case x.askedCertificate():
		s.evidence = append(s.evidence, x.probe(probeCertificate))
		return "It ended the connection as its answer to the app's last handshake message, and it asked the proxy for a certificate too, in a handshake of its own."
	}
	return "It ended the connection as its answer to the app's last handshake message, by which the app shows its certificate or that it has none."
}

// noAnswer is a smarthost from which the next part of the handshake was due,
// and silence came.
func (x through) noAnswer(e *session.Entry, end string) symptom {
	s := oneOf("tls.handshake-timeout", weightTLS, e)
	s.what = "It was the turn of {host}: " + x.story() + ". Then nothing came any more"
	if end != "" {
		s.what += ", and " + end
	}
	s.what += "."
	s.more = pathWords("{host}", x.tcp(session.Upstream, e))
	if s.more == "" {
		s.more = "Large packets that get lost on the path (an MTU problem in a VPN or tunnel) are the usual reason, inspecting firewalls the other."
	}
	return s
}

// plaintext is a port that answers a ClientHello with text.
func (x through) plaintext(e *session.Entry) symptom {
	s := notTLS(e, x.askedForTLS(e.Seq))
	if s.cause != "tls.plaintext-expected" {
		return s
	}
	s.what = "The app began with TLS at once, and port {port} of {host} greets in clear text ({greeting}) and offers TLS by the STARTTLS command. TLS libraries report that as a wrong version number."
	s.fix = []string{
		"In the app choose STARTTLS instead of SSL/TLS. nodemailer: secure: false; PHPMailer: ENCRYPTION_STARTTLS; JavaMail: mail.smtp.starttls.enable=true, ssl.enable=false; Python: SMTP and starttls() instead of SMTP_SSL.",
		"Or send the app to port 465 of {host}, which expects TLS from the first byte.",
	}
	return s
}
