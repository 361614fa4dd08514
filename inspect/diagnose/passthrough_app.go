package diagnose

import (
	"fmt"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// TLS alerts that say that what came did not decode (RFC 8446, section 6.2).
const (
	alertUnexpectedMessage = 10
	alertBadRecordMAC      = 20
	alertRecordOverflow    = 22
	alertIllegalParameter  = 47
	alertDecodeError       = 50
	alertDecryptError      = 51
	alertInternalError     = 80
)

// appBroke names why the app ended the handshake; e is the entry that shows
// it.
func (x through) appBroke(e *session.Entry) (symptom, bool) {
	switch e.Fault.Class {
	case session.FaultAlert:
		return x.appAlerted(e), true
	case session.FaultHiddenAlert:
		return x.refusedCertificate(e, inspect.Likely), true
	case session.FaultClosed, session.FaultReset:
		return x.appLeft(e), true
	case session.FaultTimeout:
		return x.appStalled(e), true
	case session.FaultNotTLS, session.FaultCorrupt:
		return x.appGarbled(e), true
	}
	return symptom{}, false
}

func (x through) appAlerted(e *session.Entry) symptom {
	s := oneOf("", weightTLS, e)
	s.values = x.values(e)
	switch alert := e.Fault.Alert; alert {
	case alertInternalError:
		return x.appFailed(s)
	case alertProtocolVersion, alertInsufficientSecurity, alertHandshakeFailure, alertIllegalParameter:
		return x.appRefusedParameters(s, alert)
	case alertUnexpectedMessage, alertBadRecordMAC, alertRecordOverflow, alertDecodeError, alertDecryptError:
		s.cause, s.certainty = "tls.handshake-corrupt", inspect.Likely
		s.what = "The app ended the handshake because what it got did not decode ({detail}). Something on the path between it and {host} rewrites the stream, or one of the two has a bug."
		return s
	}
	if !x.answered() {
		s.cause, s.certainty = "tls.handshake-reset", inspect.Likely
		s.what = "The app ended the handshake itself before {host} had answered ({detail})."
		return s
	}
	return x.refusedCertificate(e, inspect.Certain)
}

// appFailed is an app whose TLS library could not go on. OpenSSL 3 ends so when
// a server chose a version below TLS 1.2: the signatures of those it refuses.
func (x through) appFailed(s symptom) symptom {
	if v := x.upstream.TLS.Version; onlyOutdatedVersions([]string{v}) && !x.outdated() {
		s.cause, s.certainty = "tls.version-mismatch", inspect.Likely
		s.what = "{host} chose " + v + ", and the app's TLS library could not go on with that ({detail}). TLS 1.0 and 1.1 are switched off today (RFC 8996): an app may still offer them and then refuse what belongs to them."
		return s
	}
	if !x.answered() {
		s.cause, s.certainty = "tls.handshake-reset", inspect.Likely
		s.what = "The app's own TLS library failed before {host} had answered ({detail})."
		return s
	}
	s = x.refusedCertificate(s.evidence[0], inspect.Likely)
	s.certainty = inspect.Likely
	return s
}

// appRefusedParameters is an app that did not like what the smarthost chose,
// its certificate's strength included.
func (x through) appRefusedParameters(s symptom, alert int) symptom {
	if v := x.upstream.TLS.Verify; alert != alertProtocolVersion && v == session.VerifyWeak {
		return x.refusedCertificate(s.evidence[0], inspect.Likely)
	}
	s.cause = "tls.cipher-mismatch"
	switch {
	case x.outdated():
		return x.outdatedApp(s)
	case alert == alertProtocolVersion:
		s.cause = "tls.version-mismatch"
		s.what = "{host} chose a TLS version that the app does not accept ({detail}). Nearly always the server knows nothing newer than TLS 1.0 or 1.1, which are switched off today (RFC 8996)."
	case alert == alertHandshakeFailure || alert == alertIllegalParameter:
		s.certainty = inspect.Likely
		s.what = "The app did not accept what {host} chose: the suite, the group, or a signature ({detail})."
	}
	return s
}

// appLeft is an app that closed its connection in the handshake without an
// alert.
func (x through) appLeft(e *session.Entry) symptom {
	switch {
	case !x.hailed():
		s := oneOf("tls.handshake-reset", weightTLS, e)
		s.certainty = inspect.Likely
		s.title = "The app left where its TLS handshake was due"
		s.what = "{host} was ready for TLS, and the app closed the connection without having sent a byte of it. That is the app's own trouble in setting TLS up: a missing file of roots, a key that cannot be read, a library that is not there."
		s.fix = []string{"Look at the app's own log for this moment: its TLS library failed before it sent anything.", "Check the files of roots and keys that the app's TLS settings name."}
		return s
	case x.answered():
		return x.refusedCertificate(e, inspect.Likely)
	case x.waited(e) >= patience:
		return x.noAnswer(e, fmt.Sprintf("the app gave up after %s", briefly(x.waited(e))))
	}
	s := oneOf("tls.handshake-reset", weightTLS, e)
	s.certainty = inspect.Likely
	s.title = "The app left right after its ClientHello"
	s.what = fmt.Sprintf("The app began the handshake and closed the connection after %s, before {host} had answered. Nobody else broke it: the app stopped, or has a time-out that short.", briefly(x.waited(e)))
	s.fix = []string{"Look at the app's own log for this moment.", "Raise the app's time-out if it is shorter than some seconds."}
	return s
}

func (x through) appStalled(e *session.Entry) symptom {
	s := oneOf("tls.handshake-timeout", weightTLS, e)
	s.title = "The app went silent in the TLS handshake"
	s.what = "It was the app's turn: " + x.story() + ". Then nothing came from it any more, and the connection stayed open."
	if !x.hailed() {
		s.what = "{host} was ready for TLS, and the app sent nothing of a handshake."
	}
	s.fix = []string{
		"Look at what the app does at this moment: one that asks a user or a key store about the certificate waits like this.",
		"If the app runs on another machine or in a container: large packets may get lost on the way to it; lower the MTU of that network.",
	}
	return s
}

// appGarbled is an app that sends something else where TLS is due.
func (x through) appGarbled(e *session.Entry) symptom {
	s := oneOf("tls.handshake-corrupt", weightTLS, e)
	s.values = x.values(e)
	s.title = "What came from the app in the TLS handshake is not TLS"
	s.what = "Behind STARTTLS and the reply 220 only TLS may come, and the app sent something else ({detail}). It goes on in clear text by mistake, or something between it and this proxy rewrites the stream."
	s.fix = []string{"Look at what stands between the app and this proxy: a virus scanner's mail shield is the usual reason; switch it off for this port.", "Update the app's SMTP library."}
	return s
}

// outdated reports an app that offers nothing that is accepted today.
func (x through) outdated() bool {
	h := x.app.TLS.Hello
	return h != nil && (onlyOutdatedVersions(h.Versions) || len(h.Ciphers) > 0 && !anyCurrent(h.Ciphers))
}

func onlyOutdatedVersions(versions []string) bool {
	for _, v := range versions {
		if v != "TLS 1.1" && v != "TLS 1.0" && !strings.HasPrefix(v, "SSL") {
			return false
		}
	}
	return len(versions) > 0
}

// anyCurrent reports a suite that current servers accept: one with an AEAD, or
// with forward secrecy.
func anyCurrent(suites []string) bool {
	for _, s := range suites {
		for _, part := range []string{"_GCM_", "_CCM", "CHACHA20", "_ECDHE_", "_DHE_", "0x"} {
			if strings.Contains(s, part) && !strings.Contains(s, "EXPORT") && !strings.Contains(s, "_RC4_") && !strings.Contains(s, "_NULL_") && !strings.Contains(s, "3DES") {
				return true
			}
		}
	}
	return false
}

// outdatedApp words a handshake that failed because the app's offer is old.
func (x through) outdatedApp(s symptom) symptom {
	h := x.app.TLS.Hello
	s.cause = "tls.app-version-mismatch"
	s.what = "The app began the handshake with {version} and nothing newer, and {host} accepts none of that ({detail}). The app runs on an old runtime or library."
	if !onlyOutdatedVersions(h.Versions) {
		s.what = "The app offers only suites that are switched off today, and {host} accepts none of them ({detail}). The app runs on an old runtime or library, or its list of suites was narrowed by hand."
	}
	if s.values == nil {
		s.values = map[string]string{}
	}
	s.values["version"] = strings.Join(h.Versions, ", ")
	s.fix = []string{
		"Update the app's runtime (Java 8u261 or newer, .NET 4.7 or newer, OpenSSL 1.0.1 or newer), or switch TLS 1.2 on in it.",
		"Or let the proxy make the TLS in the app's place: run without --tls passthrough, and let the app speak plaintext to it.",
	}
	return s
}
