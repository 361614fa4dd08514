package web

import (
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// leg is the TLS of one leg with what the peer showed.
type leg struct {
	Name    string
	Facts   group
	Chains  []chain
	Picture []link509 // the chain as one picture, from the leaf to the root
	Full    bool      // all is shown beside the picture
}

// chain is certificates in the order of their signing.
type chain struct {
	Name         string
	Certificates []certificate
}

type certificate struct {
	Subject, Issuer    string
	From, Until        string
	Validity           string
	Names              []string
	Key, Signature     string
	Serial             string
	Expired, Authority bool
}

func legsOf(s *inspect.Session, zone *time.Location) []leg {
	var all []leg
	for _, l := range []struct {
		name string
		tls  *session.TLS
	}{{"App's leg", s.App.TLS}, {"Upstream's leg", s.Upstream.TLS}} {
		if l.tls != nil {
			all = append(all, legOf(l.name, l.tls, s.Started, zone))
		}
	}
	return all
}

func legOf(name string, h *session.TLS, at time.Time, zone *time.Location) leg {
	l := leg{Name: name, Facts: group{Facts: handshake(h)}}
	for _, c := range []struct {
		name string
		list []session.Certificate
	}{{"Chain as sent", h.Chain}, {"Missing from the chain", h.Repaired}, {"Path as verified", h.Path}} {
		if len(c.list) > 0 {
			l.Chains = append(l.Chains, chain{c.name, certificates(c.list, at, zone)})
		}
	}
	l.Picture = pictureOf(h, at, zone)
	return l
}

func handshake(h *session.TLS) []fact {
	g := group{}
	g.add("Version", h.Version, true)
	g.add("Cipher", h.Cipher, true)
	g.add("Group", h.Group, true)
	g.add("Server name", h.ServerName, true)
	g.add("ALPN", h.ALPN, true)
	if h.Resumed {
		g.add("Resumed", "yes: no certificate was sent again", false)
	}
	g.add("Certificate", trust(h), false)
	g.add("Error", h.Error, true)
	g.add("OCSP staple", h.Stapled, false)
	g.add("In between", h.Interceptor, false)
	if h.AskedCert {
		g.add("Client certificate", "the smarthost asked for one", false)
	}
	if o := h.Hello; o != nil {
		g.add("The app offered", strings.Join(o.Versions, ", "), true)
		g.add("Suites", strings.Join(o.Ciphers, ", "), true)
		g.add("Groups", strings.Join(o.Groups, ", "), true)
		g.add("JA4", o.JA4, true)
	}
	return g.Facts
}

func trust(h *session.TLS) string {
	switch {
	case h.Verified:
		return "verified: a trusted root, in date, the right name"
	case h.Verify != session.VerifyOK:
		return "not verified: " + strings.ReplaceAll(string(h.Verify), "-", " ")
	}
	return ""
}

// tlsBrief is a handshake in a few words.
func tlsBrief(h *session.TLS) string {
	var facts []string
	if h.Version != "" {
		facts = append(facts, h.Version)
	}
	switch {
	case h.Error != "":
		facts = append(facts, "failed or not trusted")
	case h.Verified:
		facts = append(facts, "verified")
	}
	if len(facts) == 0 {
		return "begun, not finished"
	}
	return strings.Join(facts, ", ")
}

func certificates(list []session.Certificate, at time.Time, zone *time.Location) []certificate {
	all := make([]certificate, len(list))
	for i := range list {
		c := &list[i]
		all[i] = certificate{
			Subject: c.Subject, Issuer: c.Issuer, From: day(c.NotBefore, zone), Until: day(c.NotAfter, zone),
			Validity: validity(c.NotBefore, c.NotAfter, at), Names: c.Names, Key: c.Key, Signature: c.Signature, Serial: c.Serial,
			Expired: at.Before(c.NotBefore) || c.NotAfter.Before(at), Authority: c.CA,
		}
		if c.Issuer == c.Subject {
			all[i].Issuer = "itself"
		}
	}
	return all
}
