package diagnose

import "smtp-proxy/proxy/session"

// proxyTrouble reads what the proxy did itself: limits, its owner's policy,
// being stopped. Ending a session in which nothing was under way hurts nobody.
func proxyTrouble(f *facts, _ []symptom) (symptoms []symptom) {
	for _, e := range f.notes {
		s := oneOf(proxyCause(e.Odd), weightProxy, e)
		if s.cause == "" || e.Odd == session.OddShutdown && !f.interrupted(e) {
			continue
		}
		s.values = map[string]string{"detail": firstLine(e.Text)}
		symptoms = append(symptoms, s)
	}
	return symptoms
}

func proxyCause(odd session.Oddity) string {
	switch odd {
	case session.OddShutdown, session.OddPanic:
		return "proxy.shutting-down"
	case session.OddLimit:
		return "proxy.limit-reached"
	case session.OddLoop:
		return "proxy.loop"
	case session.OddPolicy:
		return "proxy.policy-blocked"
	case session.OddFault:
		return "proxy.fault-injected"
	}
	return ""
}

// interrupted reports whether something the app wanted was under way or
// refused when the proxy stopped: an open transaction, or a connection that was
// never served. What an app had left before is not the proxy's doing.
func (f *facts) interrupted(stop *session.Entry) bool {
	if left := f.closed[session.App]; left != nil && left.Seq < stop.Seq {
		return false
	}
	if f.inBody || f.openTransaction() || f.cutHandshake() {
		return true
	}
	return !f.connected && len(f.mails) == 0
}

// cutHandshake reports a handshake between app and upstream that the proxy's
// end has broken.
func (f *facts) cutHandshake() bool {
	for _, e := range f.shaken {
		if e != nil && e.Fault != nil && e.Fault.Class == session.FaultLocal {
			return true
		}
	}
	return false
}

// openTransaction reports a MAIL without an end.
func (f *facts) openTransaction() bool {
	return len(f.mails) > 0 && !f.mails[len(f.mails)-1].finished
}
