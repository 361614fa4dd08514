package diagnose

import (
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// patience is from where on whoever is silent when the other side leaves is
// the cause; below it the leaving is.
const patience = 10 * time.Second

// networkFaults reads failed look-ups and dials. One attempt of several that
// failed while another stood is no failure.
func networkFaults(f *facts, found []symptom) []symptom {
	if f.connected || len(found) > 0 {
		return nil
	}
	telling := mostTelling(f.failures)
	if telling == nil {
		return waitedForConnection(f)
	}
	s := oneOf(connectCause(telling), weightNetwork, nil)
	for _, e := range f.failures {
		if connectCause(e) == s.cause {
			s.evidence = append(s.evidence, e)
		}
	}
	s.values = map[string]string{}
	if telling.Dial != nil {
		s.values["addr"] = telling.Dial.Addr
	}
	s.values["suggestion"] = f.suggestHost()
	return []symptom{s}
}

// mostTelling picks the failure that explains most: one that got an answer
// over one that did not, a dial over a look-up.
func mostTelling(failures []*session.Entry) (best *session.Entry) {
	for _, e := range failures {
		if e.Fault != nil && (best == nil || telling(e) > telling(best)) {
			best = e
		}
	}
	return best
}

func telling(e *session.Entry) int {
	if e.Lookup != nil {
		if e.Fault.Class == session.FaultNoSuchHost {
			return 1
		}
		return 2
	}
	switch e.Fault.Class {
	case session.FaultLoop, session.FaultDescriptors:
		return 9
	case session.FaultRefused, session.FaultPermission:
		return 8
	case session.FaultReset:
		return 7
	case session.FaultTimeout:
		return 6
	case session.FaultUnreachable:
		return 5
	}
	return 3
}

// connectCause names the cause behind a failed look-up or dial.
func connectCause(e *session.Entry) string {
	if e.Fault == nil {
		return ""
	}
	switch e.Fault.Class {
	case session.FaultNoSuchHost:
		return "connect.dns-no-such-host"
	case session.FaultDNS:
		return "connect.dns-failure"
	case session.FaultRefused, session.FaultPermission:
		return "connect.refused"
	case session.FaultReset:
		return "connect.reset"
	case session.FaultUnreachable:
		return "connect.unreachable"
	case session.FaultDescriptors:
		return "proxy.limit-reached"
	case session.FaultLoop:
		return "proxy.loop"
	}
	if e.Lookup != nil || e.Fault.Op == "lookup" {
		return "connect.dns-failure"
	}
	return "connect.timeout"
}

// waitedForConnection is an app that left while the proxy was still dialling:
// an app with a shorter patience than ours sees the same time-out.
func waitedForConnection(f *facts) []symptom {
	left := f.closed[session.App]
	if left == nil || left.At.Sub(f.s.Started) < patience {
		return nil
	}
	s := oneOf("connect.timeout", weightNetwork, left)
	s.certainty = inspect.Likely
	return []symptom{s}
}
