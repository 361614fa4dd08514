package diagnose

import "smtp-proxy/proxy/session"

// brokenByApp is a handshake on the app's own leg that ended before the app
// can have judged a certificate. ok is false when it may have.
func (f *facts) brokenByApp(e *session.Entry) (s symptom, ok bool) {
	s = oneOf("", weightTLS, e)
	s.values = appTLSValues(e)
	begun, asked := e.TLS != nil && e.TLS.Hello != nil, f.askedForTLS(e.Seq)
	switch class := e.Fault.Class; {
	case class == session.FaultTimeout && !begun && !asked:
		s.cause = "app.timeout"
	case class == session.FaultTimeout:
		s.cause = "tls.handshake-timeout"
		s.title = "The app went silent in its TLS handshake with this proxy"
		s.what = "The way to {host} has no part in this: it is the app that owed the next bytes on its own leg."
		s.fix = appHandshakeFix()
	case begun && class != session.FaultCorrupt:
		return s, false
	case class == session.FaultClosed, class == session.FaultReset:
		s.cause = "tls.handshake-reset"
		s.title = "The app ended its connection before its TLS handshake had begun"
		s.what = "Not a byte of TLS came from the app ({detail}), so it cannot have seen a certificate. The way to {host} has no part in this."
		s.fix = appHandshakeFix()
	case class == session.FaultCorrupt, class == session.FaultNotTLS && asked:
		s.cause = "tls.handshake-corrupt"
		s.title = "What the app sent in its TLS handshake with this proxy is not TLS"
		s.what = "TLS was due from the app, and its bytes do not decode ({detail}). The way to {host} has no part in this."
		s.fix = appHandshakeFix()
	default:
		return s, false
	}
	return s, true
}

func appHandshakeFix() []string {
	return []string{
		"Look into the app's own log for this moment: its TLS library says there why it stopped.",
		"If the app is on another machine, try from this one: a firewall or virus scanner between the two may be what breaks it.",
		"Or do without TLS on the way to the proxy: --app-tls none. The way to {host} is under TLS all the same.",
	}
}

// askedForTLS reports whether the app had said STARTTLS before an entry.
func (f *facts) askedForTLS(seq int) bool {
	for i := range f.s.Events {
		e := &f.s.Events[i]
		if e.Seq < seq && e.Kind == session.KindCommand && e.Verb == "STARTTLS" && e.From == session.FromApp {
			return true
		}
	}
	return false
}
