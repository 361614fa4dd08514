package diagnose

import (
	"bytes"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// TLS alerts that a peer may end a handshake with (RFC 8446, section 6.2).
const (
	alertCloseNotify          = 0
	alertHandshakeFailure     = 40
	alertBadCertificate       = 42
	alertUnsupportedCert      = 43
	alertCertificateRevoked   = 44
	alertCertificateExpired   = 45
	alertCertificateUnknown   = 46
	alertUnknownCA            = 48
	alertAccessDenied         = 49
	alertProtocolVersion      = 70
	alertInsufficientSecurity = 71
	alertFallback             = 86
	alertUnrecognizedName     = 112
	alertCertificateRequired  = 116
)

// upstreamTLS reads the last handshake with the upstream. A certificate that
// failed verification is a finding even when the owner chose to go on.
func upstreamTLS(f *facts, found []symptom) []symptom {
	e := f.tls[session.Upstream]
	if e == nil || len(found) > 0 {
		return nil
	}
	if e.TLS != nil && e.TLS.Verify != session.VerifyOK {
		return []symptom{f.certificate(f.better(e), e)}
	}
	if e.Fault == nil {
		return lateAlert(f)
	}
	return f.handshake(e)
}

// certificate names why the chain of an entry was not trusted; shown is the
// entry of the handshake that it came with.
func (f *facts) certificate(e, shown *session.Entry) symptom {
	s := oneOf(certificateCause(e.TLS.Verify), weightTLS, shown)
	if e != shown {
		s.evidence = append(s.evidence, e)
	}
	s.more = strings.TrimSpace(chainWords(e.TLS) + " " + f.twoFaces(e))
	s.first = interceptorFix(e.TLS)
	if s.cause == "tls.certificate-untrusted" && e.TLS.Verify == session.VerifyOther {
		s.certainty = inspect.Likely
	}
	s.values = certificateValues(e.TLS, e.At)
	if e.TLS.Verify == session.VerifyExpired || e.TLS.Verify == session.VerifyNotYetValid {
		if why, wrong := f.clockWrong(e); wrong {
			s.cause = "tls.clock-skew"
			s.values["detail"] = why
		}
	}
	return s
}

func certificateCause(v session.VerifyFault) string {
	switch v {
	case session.VerifyExpired:
		return "tls.certificate-expired"
	case session.VerifyNotYetValid:
		return "tls.certificate-not-yet-valid"
	case session.VerifyName:
		return "tls.certificate-name-mismatch"
	case session.VerifySelfSigned:
		return "tls.certificate-self-signed"
	case session.VerifyIncomplete:
		return "tls.chain-incomplete"
	case session.VerifyWeak:
		return "tls.certificate-weak"
	case session.VerifyRevoked:
		return "tls.certificate-revoked"
	}
	return "tls.certificate-untrusted"
}

// handshake names why a handshake ended before there was a certificate to
// judge.
func (f *facts) handshake(e *session.Entry) []symptom {
	fault := e.Fault
	s := oneOf("", weightTLS, e)
	switch fault.Class {
	case session.FaultAlert:
		s.cause, s.certainty = alertCause(fault, e.TLS)
	case session.FaultNotTLS:
		return []symptom{notTLS(e, f.greeting != nil)}
	case session.FaultVersion:
		s.cause = "tls.version-mismatch"
	case session.FaultCipher:
		s.cause = "tls.cipher-mismatch"
	case session.FaultCertificate:
		s.cause = "tls.certificate-weak"
	case session.FaultCorrupt:
		s.cause = "tls.handshake-corrupt"
	case session.FaultTimeout:
		s.cause = "tls.handshake-timeout"
	case session.FaultLocal:
		if f.handshakeLasted(e) < patience {
			return nil // the app left; that is for the closes to judge
		}
		s.cause = "tls.handshake-timeout"
	default:
		s.cause = "tls.handshake-reset"
	}
	s.values = map[string]string{"detail": fault.Text}
	f.taken(&s)
	return []symptom{s}
}

// handshakeLasted tells how long the handshake that an entry ends had been
// under way.
func (f *facts) handshakeLasted(e *session.Entry) (d time.Duration) {
	if e.TLS != nil && e.TLS.Duration > 0 {
		return e.TLS.Duration
	}
	for i := range f.s.Events {
		before := &f.s.Events[i]
		if before.Seq < e.Seq && before.Leg == e.Leg {
			d = e.At.Sub(before.At)
		}
	}
	return d
}

// alertCause reads the alert that the upstream ended the handshake with. A
// general one means a missing client certificate when it had asked for one.
func alertCause(fault *session.Fault, tls *session.TLS) (string, inspect.Certainty) {
	asked := tls != nil && tls.AskedCert
	switch fault.Alert {
	case alertCertificateRequired:
		return "tls.client-certificate-required", inspect.Certain
	case alertUnrecognizedName:
		return "tls.sni-required", inspect.Certain
	case alertProtocolVersion, alertFallback:
		return "tls.version-mismatch", inspect.Certain
	case alertInsufficientSecurity:
		return "tls.cipher-mismatch", inspect.Certain
	case alertBadCertificate, alertUnsupportedCert, alertCertificateUnknown, alertUnknownCA, alertAccessDenied:
		return "tls.client-certificate-required", inspect.Likely
	case alertHandshakeFailure:
		if asked {
			return "tls.client-certificate-required", inspect.Likely
		}
		return "tls.cipher-mismatch", inspect.Likely
	}
	return "tls.handshake-reset", inspect.Likely
}

// lateAlert is a server of TLS 1.3 that ends the session for want of a client
// certificate after this side's handshake is done: its alert comes with the
// first read.
func lateAlert(f *facts) []symptom {
	left := f.closed[session.Upstream]
	if left == nil || left.Fault == nil || left.Fault.Class != session.FaultAlert || left.Fault.Alert == alertCloseNotify {
		return nil
	}
	s := oneOf("", weightTLS, left)
	s.cause, s.certainty = alertCause(left.Fault, f.tls[session.Upstream].TLS)
	s.evidence = append(s.evidence, f.tls[session.Upstream])
	return []symptom{s}
}

// notTLS tells a port that greets in plaintext from other services and from
// something on the path that writes into the handshake. due says that TLS was,
// since STARTTLS was said.
func notTLS(e *session.Entry, due bool) symptom {
	first := e.Fault.First
	s := oneOf("tls.plaintext-expected", weightTLS, e)
	s.values = map[string]string{"greeting": protocolOf(string(first)), "detail": e.Fault.Text}
	_, _, _, isReply := wire.ReplyLine(bytes.TrimSpace(firstOf(first)))
	switch {
	case due:
		s.cause = "tls.handshake-corrupt"
	case isReply || len(first) < 4:
	case bytes.HasPrefix(first, []byte("220")), bytes.HasPrefix(first, []byte("421")), bytes.HasPrefix(first, []byte("554")):
	default:
		s.cause = "connect.not-smtp"
	}
	return s
}

func firstOf(b []byte) []byte {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return line
}
