package main

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"smtp-proxy/inspect"
)

// outcomes are those of sessions, in the order of their numbers.
type outcomes [7]inspect.Outcome

func allOutcomes() outcomes {
	return outcomes{inspect.Delivered, inspect.Partial, inspect.Rejected, inspect.Failed, inspect.Aborted, inspect.NoMail, inspect.Open}
}

func outcomeIndex(o inspect.Outcome) int {
	for i, known := range allOutcomes() {
		if o == known {
			return i
		}
	}
	return len(outcomes{}) - 1
}

// upstream returns what is counted of a smarthost.
func (m *metrics) upstream(name string) *upstreamMetrics {
	if up := m.upstreams[name]; up != nil {
		return up
	}
	label := strings.ToValidUTF8(name, "?")
	switch {
	case isSandbox(name): // its port is another one each time
		label = sandboxUpstream
	case name == "" || m.foreign >= mostForeign:
		return m.other()
	default:
		m.foreign++
	}
	up := m.newUpstream(label)
	m.upstreams[name] = up
	return up
}

func (m *metrics) other() *upstreamMetrics {
	if m.upstreams[otherLabel] == nil {
		m.upstreams[otherLabel] = m.newUpstream(otherLabel)
	}
	return m.upstreams[otherLabel]
}

func (m *metrics) newUpstream(label string) *upstreamMetrics {
	up := &upstreamMetrics{label: label}
	for i, o := range allOutcomes() {
		up.outcomes[i] = m.sessions.WithLabelValues(string(o), label)
	}
	return up
}

func (m *metrics) finding(cause string) prometheus.Counter {
	if c := m.causes[cause]; c != nil {
		return c
	}
	return m.findings.WithLabelValues(otherLabel)
}

// Numbers of verbs that have a label.
const (
	verbGreeting = iota
	verbEHLO
	verbHELO
	verbSTARTTLS
	verbAUTH
	verbMAIL
	verbRCPT
	verbDATA
	verbEnd
	verbBDAT
	verbRSET
	verbNOOP
	verbVRFY
	verbQUIT
	verbOther
	verbCount
)

// verbNames are the labels, by number.
func verbNames() [verbCount]string {
	return [verbCount]string{"greeting", "EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "end-of-data", "BDAT", "RSET", "NOOP", "VRFY", "QUIT", otherLabel}
}

// verbIndex knows a verb; "." is the end of a message.
func verbIndex(verb string) int {
	switch verb {
	case "EHLO":
		return verbEHLO
	case "HELO":
		return verbHELO
	case "STARTTLS":
		return verbSTARTTLS
	case "AUTH":
		return verbAUTH
	case "MAIL":
		return verbMAIL
	case "RCPT":
		return verbRCPT
	case "DATA":
		return verbDATA
	case ".":
		return verbEnd
	case "BDAT":
		return verbBDAT
	case "RSET":
		return verbRSET
	case "NOOP":
		return verbNOOP
	case "VRFY":
		return verbVRFY
	case "QUIT":
		return verbQUIT
	}
	return verbOther
}

// versionLabel knows a version of TLS.
func versionLabel(version string) string {
	switch version {
	case "TLS 1.3", "TLS 1.2", "TLS 1.1", "TLS 1.0", "SSL 3.0":
		return version
	}
	return otherLabel
}
