package main

import (
	"strings"

	"smtp-proxy/proxy/session"
)

// evidenceOf says what TCP and the clock knew when a leg ended or was silent.
func evidenceOf(e *session.Entry) string {
	var facts []string
	if s := e.Silent; s != nil {
		if e.Leg == session.App {
			facts = append(facts, "silent for "+took(s.App), "the upstream for "+took(s.Upstream))
		} else {
			facts = append(facts, "silent for "+took(s.Upstream), "the app for "+took(s.App))
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
		facts = append(facts, "round trip "+took(t.RTT))
	}
	if t.Retransmits > 0 {
		facts = append(facts, count(t.Retransmits, "segment")+" sent again")
	}
	if t.Lost > 0 {
		facts = append(facts, count(t.Lost, "segment")+" lost")
	}
	// What went out a moment ago, an alert say, nobody can have acknowledged:
	// that is news only where it was sent again.
	switch {
	case t.Retransmits == 0:
	case t.Unacked > 0:
		facts = append(facts, count(t.Unacked, "segment")+" not acknowledged")
	default:
		facts = append(facts, "all acknowledged")
	}
	return facts
}
