package diagnose

import (
	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// CertificateUse: the smarthost's certificate is asked for where the session
// did not show it, or where what it lacks may be found.
func (uses) CertificateUse() use {
	return use{probe: probeCertificate, wants: func(f *facts) (Question, bool) {
		if x, ok := f.throughOf(); ok {
			broken := broke(x.app) || broke(x.upstream) || lateRefusal(f.closed[session.App]) || x.refusedLate() || x.leftAtOnce()
			unsettled := len(x.upstream.TLS.Chain) == 0 || repairable(x.upstream.TLS) || x.upstream.Fault != nil
			return Question{SNI: x.asked()}, broken && unsettled && x.hailed()
		}
		up := f.tls[session.Upstream]
		if up == nil || up.TLS == nil {
			return Question{}, false
		}
		return Question{SNI: up.TLS.ServerName}, repairable(up.TLS) || refusedOffer(up)
	}}
}

// DirectUse: the app's own offer is made to the smarthost where the app showed
// one to the proxy, and where it met the smarthost's refusal itself.
func (uses) DirectUse() use {
	return use{probe: inspect.ProbeDirect, wants: func(f *facts) (Question, bool) {
		if x, ok := f.throughOf(); ok {
			return Question{Hello: x.app.TLS.Hello}, broke(x.upstream) && tellsOffer(x.app.TLS.Hello)
		}
		app := f.tls[session.App]
		if app == nil || app.TLS == nil {
			return Question{}, false
		}
		return Question{Hello: app.TLS.Hello}, tellsOffer(app.TLS.Hello)
	}}
}

// broke reports whether a side, and not the proxy, broke a handshake.
func broke(e *session.Entry) bool { return e.Fault != nil && e.Fault.Class != session.FaultLocal }

// repairable reports a verdict that may change when the certificates that the
// chain lacks have been fetched.
func repairable(h *session.TLS) bool {
	return h.RootHint != "" && (h.Verify == session.VerifyIncomplete || h.Verify == session.VerifyUntrusted || h.Verify == session.VerifyOther)
}

// refusedOffer reports a handshake of the proxy's whose versions or suites the
// smarthost does not take.
func refusedOffer(e *session.Entry) bool {
	if e.Fault == nil {
		return false
	}
	cause := ""
	switch e.Fault.Class {
	case session.FaultVersion, session.FaultCipher:
		return true
	case session.FaultAlert:
		cause, _ = alertCause(e.Fault, e.TLS)
	}
	return cause == "tls.version-mismatch" || cause == "tls.cipher-mismatch"
}

// tellsOffer reports whether enough is known of a ClientHello to make another
// of it.
func tellsOffer(h *session.Hello) bool { return h != nil && len(h.Ciphers) > 0 }
