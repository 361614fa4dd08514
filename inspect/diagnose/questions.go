package diagnose

import (
	"slices"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// Question is a probe whose answer could change what is said of a session.
type Question struct {
	Probe string         // certificate or direct
	SNI   string         // certificate: the name to ask for; empty is the smarthost's own
	Hello *session.Hello // direct: what the app offered
}

// Questions returns the probes that would sharpen the diagnosis of a session
// that has ended and that have no answer in it yet.
func (e *Engine) Questions(s *inspect.Session) (list []Question) {
	e.contain("questions", s.ID, func() {
		f := &facts{set: e.set, s: s, report: e.report}
		f.read()
		list = f.questions()
	})
	return list
}

func (f *facts) questions() (list []Question) {
	add := func(wanted bool, q Question) {
		if wanted && !f.probed(q.Probe) {
			list = append(list, q)
		}
	}
	if x, ok := f.throughOf(); ok {
		broken := broke(x.app) || broke(x.upstream) || lateRefusal(f.closed[session.App]) || x.refusedLate() || x.leftAtOnce()
		unsettled := len(x.upstream.TLS.Chain) == 0 || repairable(x.upstream.TLS) || x.upstream.Fault != nil
		add(broken && unsettled && x.hailed(), Question{Probe: probeCertificate, SNI: x.asked()})
		add(broke(x.upstream) && tellsOffer(x.app.TLS.Hello), Question{Probe: inspect.ProbeDirect, Hello: x.app.TLS.Hello})
		return list
	}
	if up := f.tls[session.Upstream]; up != nil && up.TLS != nil {
		add(repairable(up.TLS) || refusedOffer(up), Question{Probe: probeCertificate, SNI: up.TLS.ServerName})
	}
	if app := f.tls[session.App]; app != nil && app.TLS != nil {
		add(tellsOffer(app.TLS.Hello), Question{Probe: inspect.ProbeDirect, Hello: app.TLS.Hello})
	}
	return list
}

// broke reports whether a side, and not the proxy, broke a handshake.
func broke(e *session.Entry) bool { return e.Fault != nil && e.Fault.Class != session.FaultLocal }

// probed reports whether a probe has been asked, with or without an answer.
func (f *facts) probed(name string) bool {
	return slices.ContainsFunc(f.probes, func(e *session.Entry) bool { return e.Probe.Name == name })
}

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
