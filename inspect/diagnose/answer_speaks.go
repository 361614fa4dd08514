package diagnose

import (
	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

const (
	noGreetingCause = "connect.no-greeting"
	implicitCause   = "tls.implicit-expected"
)

// SpeaksUse: a port that says nothing may wait for TLS, whatever its number.
// It is asked where no greeting came, and where its number alone suggests the
// answer.
func (uses) SpeaksUse() use {
	return use{
		probe: "speaks",
		wants: func(f *facts) (Question, bool) {
			return Question{}, f.greeting == nil && f.tls[session.Upstream] == nil && (f.found(noGreetingCause) || f.found(implicitCause) && f.note(session.OddTLSOnPlain) == nil)
		},
		weigh: func(f *facts, answer *session.Entry, all []symptom) {
			for i := range all {
				if s := &all[i]; s.cause == noGreetingCause || s.cause == implicitCause && s.certainty != inspect.Certain {
					spoke(answer, s)
				}
			}
		},
	}
}

// spoke weighs what a silent port was heard to speak.
func spoke(answer *session.Entry, s *symptom) {
	cause := answer.Probe.Cause
	switch {
	case cause == implicitCause:
		s.cause, s.certainty = cause, inspect.Certain
		s.proof(answer, "Asked by the proxy, port {port} sent no greeting in clear, and answered a TLS handshake.")
		return
	case cause == "" && answer.Probe.Result == "ok":
		s.proof(answer, again(answer)+", it greeted: the silence has passed, or the greeting takes longer than the app waits.")
	default:
		s.proof(answer, "")
	}
	if s.cause == implicitCause { // the number of the port had suggested it
		s.cause, s.certainty, s.weight = noGreetingCause, inspect.Likely, weightNetwork
	}
}
