package main

import (
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// evidenceOf says what TCP and the clock knew when a leg ended or was silent.
func evidenceOf(e *session.Entry) string {
	var facts []string
	if s := e.Silent; s != nil {
		if e.Leg == session.App {
			facts = append(facts, "silent for "+inspect.Took(s.App), "the upstream for "+inspect.Took(s.Upstream))
		} else {
			facts = append(facts, "silent for "+inspect.Took(s.Upstream), "the app for "+inspect.Took(s.App))
		}
	}
	if t := e.TCP; t != nil {
		facts = append(facts, tcpFacts(t)...)
	}
	return strings.Join(facts, ", ")
}

func tcpFacts(t *session.TCP) []string {
	var facts []string
	if t.RTT > 0 {
		facts = append(facts, "round trip "+inspect.Took(t.RTT))
	}
	if t.Retransmits > 0 {
		facts = append(facts, inspect.Count(t.Retransmits, "segment")+" sent again")
	}
	if t.Lost > 0 {
		facts = append(facts, inspect.Count(t.Lost, "segment")+" lost")
	}
	// What went out a moment ago, an alert say, nobody can have acknowledged:
	// that is news only where it was sent again.
	switch {
	case t.Retransmits == 0:
	case t.Unacked > 0:
		facts = append(facts, inspect.Count(t.Unacked, "segment")+" not acknowledged")
	default:
		facts = append(facts, "all acknowledged")
	}
	return facts
}
