package main

import (
	"fmt"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
)

// describeTLS says what a handshake showed: version, cipher, certificate, how
// long that is good for, and what was wrong.
func describeTLS(e *session.Entry, zone *time.Location) string {
	if e.TLS.Passthrough {
		return describeThrough(e, zone)
	}
	facts := []string{}
	h := e.TLS
	if h.Cipher != "" {
		facts = append(facts, h.Cipher)
	}
	if len(h.Chain) > 0 && e.Leg == session.Upstream {
		facts = append(facts, certificateFacts(e, zone)...)
	}
	if e.Leg == session.App && h.ServerName != "" {
		facts = append(facts, "asked for "+visible(h.ServerName))
	}
	if h.Resumed {
		facts = append(facts, "resumed")
	}
	return sentenceOf(tlsTitle(e), append(facts, verdict(e)...))
}

// certificateFacts say whom the leaf is for and how long it is good for.
func certificateFacts(e *session.Entry, zone *time.Location) []string {
	facts := []string{"certificate for " + certificateNames(&e.TLS.Chain[0])}
	if e.TLS.Error == "" {
		facts = append(facts, validity(&e.TLS.Chain[0], e.At, zone))
	}
	return facts
}

func tlsTitle(e *session.Entry) string {
	leg := " with the " + e.Leg.String()
	switch {
	case e.Fault != nil:
		return "TLS handshake" + leg + " failed"
	case e.TLS.Version != "":
		return e.TLS.Version + leg
	}
	return "TLS" + leg
}

// verdict says whether the peer's certificate is trusted, and what ended the
// handshake.
func verdict(e *session.Entry) []string {
	var facts []string
	switch h := e.TLS; {
	case h.Error != "":
		facts = append(facts, visible(h.Error))
	case h.Verified:
		facts = append(facts, "verified")
	case e.Leg == session.Upstream && e.Fault == nil:
		facts = append(facts, "not verified")
	}
	if e.Fault != nil && e.Fault.Text != "" && e.Fault.Text != e.TLS.Error {
		facts = append(facts, visible(e.Fault.Text))
	}
	return facts
}

// mostNames is how many names of a certificate are written out.
const mostNames = 3

func certificateNames(c *session.Certificate) string {
	switch n := len(c.Names); {
	case n == 0:
		return visible(c.Subject) + " (no names)"
	case n > mostNames:
		return visible(strings.Join(c.Names[:mostNames], ", ")) + fmt.Sprintf(" and %d more", n-mostNames)
	}
	return visible(strings.Join(c.Names, ", "))
}

func validity(c *session.Certificate, at time.Time, zone *time.Location) string {
	if at.Before(c.NotBefore) {
		return "not valid before " + c.NotBefore.In(zone).Format("2006-01-02 15:04 MST")
	}
	return daysLeft(c.NotAfter, at)
}
