package main

import (
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// describeThrough says what was seen of a handshake that app and upstream made
// with each other. It is told once for each leg: on the app's what the two
// settled on, on the upstream's the certificate, as far as that was in view.
func describeThrough(e *session.Entry, zone *time.Location) string {
	if e.Leg == session.Upstream {
		return throughCertificate(e, zone)
	}
	h := e.TLS
	title := visible(h.Version) + " between app and upstream, end to end"
	facts := []string{}
	switch {
	case e.Fault == nil && h.Version == "":
		title = "the app's TLS hello, on its way to the upstream"
	case e.Fault != nil:
		title = "TLS handshake between app and upstream failed on the app's side"
		if h.Version != "" {
			facts = append(facts, visible(h.Version))
		}
	}
	for _, f := range []string{h.Cipher, h.Group} {
		if f != "" {
			facts = append(facts, visible(f))
		}
	}
	if h.Resumed {
		facts = append(facts, "resumed")
	}
	if h.ServerName != "" && e.Fault == nil {
		facts = append(facts, "asked for "+visible(h.ServerName))
	}
	return sentenceOf(title, append(facts, verdict(e)...))
}

// throughCertificate is empty where there is nothing to say.
func throughCertificate(e *session.Entry, zone *time.Location) string {
	var facts []string
	title := "the upstream's certificate, as it passed"
	if e.Fault != nil {
		title = "TLS handshake between app and upstream failed on the upstream's side"
	}
	if len(e.TLS.Chain) > 0 {
		facts = certificateFacts(e, zone)
	}
	if e.TLS.AskedCert {
		facts = append(facts, "a client certificate was asked for")
	}
	if len(e.TLS.Chain) > 0 || e.Fault != nil {
		facts = append(facts, verdict(e)...)
	}
	if len(facts) == 0 {
		return ""
	}
	return sentenceOf(title, facts)
}

func sentenceOf(title string, facts []string) string {
	if len(facts) == 0 {
		return title
	}
	return title + ": " + strings.Join(facts, ", ")
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// tunnelFacts says that the words of a session were not to be seen.
func tunnelFacts(s *inspect.Session) string {
	if s.App.TLS == nil || !s.App.TLS.Passthrough || s.Outcome == inspect.Failed {
		return ""
	}
	return "under TLS end to end, unread"
}
