package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// tlsDetails writes what a handshake showed beyond its line: what was offered,
// who sent how much, the chain. A folded transcript has it where the handshake
// failed.
func (t transcript) tlsDetails(b *bytes.Buffer, e *session.Entry) {
	h := e.TLS
	if h == nil || !t.full && e.Fault == nil || e.Probe != nil && e.Probe.Name == inspect.ProbeDirect {
		return
	}
	var texts []string
	texts = append(texts, offerLines(h.Hello)...)
	if e.Leg == session.App { // the other leg's are the same
		texts = append(texts, flightLine(h.Flights)...)
	}
	texts = append(texts, chainLines(e, t.zone)...)
	for _, text := range texts {
		t.line(b, line{own: e.Own, mark: "  ", text: t.clipped(text), style: dim})
	}
}

// offerLines say what an app offered: versions and groups in full, of the
// suites how many, and the fingerprint by which one piece of software is known
// again.
func offerLines(h *session.Hello) []string {
	if h == nil {
		return nil
	}
	var facts []string
	add := func(label string, list []string) {
		if len(list) > 0 {
			facts = append(facts, strings.TrimSpace(label+" "+visible(strings.Join(list, ", "))))
		}
	}
	add("", h.Versions)
	if n := len(h.Ciphers); n > mostSuites {
		facts = append(facts, inspect.Count(n, "suite"))
	} else {
		add("", h.Ciphers)
	}
	add("groups", h.Groups)
	add("ALPN", h.ALPN)
	if h.SNI == "" {
		facts = append(facts, "no server name")
	} else {
		facts = append(facts, "server name "+visible(h.SNI))
	}
	if h.JA4 != "" {
		facts = append(facts, "JA4 "+visible(h.JA4))
	}
	return []string{"offered: " + strings.Join(facts, "; ")}
}

// mostSuites is how many suites are named; a longer list says more by its
// fingerprint.
const mostSuites = 4

// flightLine says who sent how much of a handshake, in turn.
func flightLine(flights []session.Flight) []string {
	var turns []string
	for i, f := range flights {
		text := visible(f.From) + " " + inspect.Octets(f.Bytes)
		if i > 0 {
			text += " after " + inspect.Took(f.At)
		}
		turns = append(turns, text)
	}
	if len(turns) == 0 {
		return nil
	}
	return []string{"flights: " + strings.Join(turns, "; ")}
}

// chainLines list the chain as sent, as verified, and as it would be with what
// is missing.
func chainLines(e *session.Entry, zone *time.Location) []string {
	h := e.TLS
	var texts []string
	for i := range h.Chain {
		texts = append(texts, fmt.Sprintf("sent %d: %s", i+1, certificateLine(&h.Chain[i], e.At, zone)))
	}
	if n := len(h.Path); n > 0 {
		texts = append(texts, "verified up to: "+certificateLine(&h.Path[n-1], e.At, zone))
	}
	for i := range h.Repaired {
		texts = append(texts, "missing: "+certificateLine(&h.Repaired[i], e.At, zone)+publishedAt(h, i))
	}
	if h.Stapled != "" {
		texts = append(texts, "OCSP staple: "+visible(h.Stapled))
	}
	if h.Interceptor != "" {
		texts = append(texts, "in between: "+visible(h.Interceptor))
	}
	return texts
}

// publishedAt says where the missing certificate was found: where the one
// below it says.
func publishedAt(h *session.TLS, missing int) string {
	below := h.Chain
	if missing > 0 {
		below = h.Repaired[:missing]
	}
	if len(below) == 0 || len(below[len(below)-1].AIA) == 0 {
		return ""
	}
	return ", from " + visible(below[len(below)-1].AIA[0])
}

func certificateLine(c *session.Certificate, at time.Time, zone *time.Location) string {
	facts := []string{visible(c.Subject)}
	if c.Issuer == c.Subject {
		facts = append(facts, "by itself")
	} else if c.Issuer != "" {
		facts = append(facts, "by "+visible(c.Issuer))
	}
	facts = append(facts, fmt.Sprintf("%s to %s (%s)", date(c.NotBefore, zone), date(c.NotAfter, zone), validity(c, at, zone)))
	for _, f := range []string{c.Key, c.Signature} {
		if f != "" {
			facts = append(facts, visible(f))
		}
	}
	return strings.Join(facts, ", ")
}

func date(at time.Time, zone *time.Location) string { return at.In(zone).Format(time.DateOnly) }
