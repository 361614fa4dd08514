package main

import (
	"fmt"
	"strings"
)

// authenticate says AUTH as the app did, with the secret from a variable.
func (p *player) authenticate(s *step) error {
	auth := s.auth
	if auth == nil {
		p.call("say", p.text("AUTH"), p.quote(s.command))
		return nil
	}
	first := "AUTH " + auth.Mechanism
	if auth.Malformed != "" {
		p.initial(s, first, p.quote(malformed))
		return nil
	}
	b64 := func(parts ...string) string { return "b64(" + strings.Join(parts, " + ") + ")" }
	switch mechanism := strings.ToUpper(auth.Mechanism); mechanism {
	case "PLAIN":
		p.initial(s, first, b64(p.quote(auth.Authzid+"\x00"+auth.Username+"\x00"), "password"))
	case "LOGIN":
		p.initial(s, first, b64(p.quote(auth.Username)))
		p.call("answer", b64("password"))
	case "CRAM-MD5":
		p.call("secret", p.quote(first), p.quote(""))
		p.call("answer", b64(p.quote(auth.Username+" "), "digest(password, s.challenge())"))
	case "XOAUTH2":
		p.initial(s, first, b64(p.quote("user="+auth.Username+"\x01auth=Bearer "), "token", p.quote("\x01\x01")))
		p.call("answer", p.quote("")) // the answer to what is wrong with the token
	case "OAUTHBEARER":
		p.initial(s, first, b64(p.quote(p.bearer(auth.Username)), "token", p.quote("\x01\x01")))
		p.call("answer", p.quote("AQ=="))
	case "EXTERNAL", "ANONYMOUS":
		p.initial(s, first, b64(p.quote(auth.Username)))
	default:
		return fmt.Errorf("AUTH %s cannot be written down in a few lines: use --format swaks for DIGEST-MD5 or NTLM, curl for SCRAM", visible(mechanism))
	}
	return nil
}

// malformed has the place of an answer that was none: what the app sent is not
// in the record, and no server can read this either.
const malformed = "!"

// bearer begins an answer of OAUTHBEARER (RFC 7628, section 3.1). A comma and
// an equals sign in the name are written out.
func (r *reproduction) bearer(user string) string {
	name := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(user)
	return "n,a=" + name + ",\x01host=" + r.host + "\x01port=" + r.port + "\x01auth=Bearer "
}

// initial sends the first answer where the app did: with the command, or
// after the first challenge (RFC 4954, section 4).
func (p *player) initial(s *step, first, answer string) {
	if s.initial() {
		p.call("secret", p.quote(first+" "), answer)
		return
	}
	p.call("secret", p.quote(first), p.quote(""))
	p.call("answer", answer)
}

// initial reports whether the app answered along with its AUTH.
func (s *step) initial() bool { return strings.Count(strings.TrimSpace(s.command), " ") > 1 }
