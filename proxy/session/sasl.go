package session

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"

	"smtp-proxy/proxy/wire"
)

// exchange reads an AUTH dialogue (RFC 4954) on its way: the mechanism, the
// user name and the shape of the secret. The secret goes nowhere but into the
// machine's list of what has to be masked.
type exchange struct {
	facts Auth
	step  int    // lines of the app so far
	asked []byte // the upstream's last challenge, decoded
}

// recordAuth begins an exchange.
func (m *Machine) recordAuth(c wire.Command, size int) {
	mech, initial, _ := strings.Cut(strings.TrimSpace(c.Arg), " ")
	x := &exchange{facts: Auth{Mechanism: safeMechanism(mech)}}
	if x.facts.Mechanism == masked {
		m.keepEncoded([]byte(mech))
	}
	m.auth = x
	text := strings.TrimSpace("AUTH " + x.facts.Mechanism)
	if initial = strings.TrimSpace(initial); initial != "" {
		text += " ***"
		m.saslData(x, []byte(initial))
	}
	m.authEntry("AUTH", text, size)
}

// safeMechanism returns a mechanism's name, or a mark for what is none: an app
// may put its secret in the wrong place.
func safeMechanism(s string) string {
	upper := strings.ToUpper(s)
	oneCase := s == upper || s == strings.ToLower(s) || s[1:] == strings.ToLower(s[1:])
	if !oneCase || len(s) > 20 || strings.Trim(upper, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
		return masked
	}
	return strings.Clone(upper) // not a part of the line, which may hold the secret and would be kept with it
}

// authEntry records a line of the exchange and what is known so far.
func (m *Machine) authEntry(verb, text string, size int) {
	e := m.entry(App, FromApp, KindAuth, PhaseAuth)
	facts := m.auth.facts
	e.Verb, e.Text, e.Bytes, e.Auth = verb, text, int64(size), &facts
}

// saslLine passes one secret line on.
func (m *Machine) saslLine(line []byte) {
	m.write(Upstream, line, false)
	payload := wire.TrimCRLF(line)
	text := "***"
	switch {
	case string(payload) == "*":
		m.auth.facts.Cancelled = true
		text = "*"
	case len(payload) == 0:
		text = ""
	default:
		m.saslData(m.auth, payload)
	}
	m.auth.step++
	m.expect(pending{verb: "AUTH", phase: PhaseAuth})
	m.hold("AUTH")
	m.authEntry("AUTH", text, len(line))
}

// saslData reads one response and keeps what must never be shown.
func (m *Machine) saslData(x *exchange, payload []byte) {
	m.keepSecret(payload)
	if string(payload) == "=" { // an empty initial response
		return
	}
	raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(payload)))
	if err != nil {
		x.facts.Malformed = "not base64"
		return
	}
	secret := x.read(raw)
	if !plausibleName(x.facts.Username) {
		x.facts.Username, x.facts.Malformed = "", "no user name"
		m.keepEncoded(payload)
	}
	if secret == nil {
		return
	}
	if x.facts.Mechanism != "CRAM-MD5" { // there it is a digest, not the secret
		x.facts.Secret = shapeOf(secret)
	}
	m.keepSecret(secret)
	m.keepSecret([]byte(base64.StdEncoding.EncodeToString(secret)))
	if len(secret) != len(raw) {
		m.keepSecret(raw)
	}
}

// plausibleName reports whether a user name is text. What is not may be a
// secret in the wrong place, and goes no further.
func plausibleName(name string) bool {
	return len(name) <= 320 && utf8.ValidString(name) && strings.IndexFunc(name, unicode.IsControl) < 0
}

// authAnswered goes on behind the upstream's reply to an AUTH line.
func (m *Machine) authAnswered(e *Entry) {
	if e.Code != 334 || m.auth == nil {
		m.resume()
		return
	}
	challenge := strings.TrimPrefix(strings.TrimPrefix(e.Text, "334"), " ")
	m.auth.asked, _ = base64.StdEncoding.DecodeString(challenge)
	m.reading, m.held = readSASL, ""
	m.readApp()
}

// read takes the user name out of a decoded response and returns the secret
// in it, nil when the response holds none that can be told apart.
func (x *exchange) read(raw []byte) []byte {
	switch mech := x.facts.Mechanism; {
	case mech == "PLAIN":
		return x.plain(raw)
	case mech == "LOGIN":
		return x.login(raw)
	case mech == "CRAM-MD5":
		if i := bytes.LastIndexByte(raw, ' '); i >= 0 {
			x.facts.Username = string(raw[:i])
			return raw[i+1:] // a digest, but nobody's business either
		}
	case mech == "XOAUTH2" || mech == "OAUTHBEARER":
		return x.bearer(raw)
	case strings.HasPrefix(mech, "SCRAM-"):
		x.scram(raw)
	case mech == "DIGEST-MD5":
		x.digest(raw)
	case mech == "EXTERNAL":
		x.facts.Username = string(raw)
	}
	return nil
}

// plain reads RFC 4616: authzid NUL authcid NUL passwd.
func (x *exchange) plain(raw []byte) []byte {
	parts := bytes.SplitN(raw, []byte{0}, 3)
	if len(parts) != 3 {
		x.facts.Malformed = "not the three parts of PLAIN"
		return raw
	}
	x.facts.Authzid, x.facts.Username = string(parts[0]), string(parts[1])
	return parts[2]
}

// login reads the answer to "Username:" or "Password:". Servers word their
// questions freely; the order is fixed.
func (x *exchange) login(raw []byte) []byte {
	if bytes.Contains(bytes.ToLower(x.asked), []byte("pass")) || x.facts.Username != "" {
		return raw
	}
	x.facts.Username = string(raw)
	return nil
}

// bearer reads XOAUTH2 (user=…^Aauth=Bearer …) and OAUTHBEARER (RFC 7628).
func (x *exchange) bearer(raw []byte) []byte {
	var token []byte
	for _, part := range bytes.FieldsFunc(raw, func(r rune) bool { return r == 1 || r == ',' }) {
		switch {
		case bytes.HasPrefix(part, []byte("user=")):
			x.facts.Username = string(part[len("user="):])
		case bytes.HasPrefix(part, []byte("a=")):
			x.facts.Username = string(part[len("a="):])
		case bytes.HasPrefix(bytes.ToLower(part), []byte("auth=bearer ")):
			token = part[len("auth=bearer "):]
		}
	}
	return token
}

// scram reads the user name of a client-first-message (RFC 5802).
func (x *exchange) scram(raw []byte) {
	for part := range strings.SplitSeq(string(raw), ",") {
		if name, ok := strings.CutPrefix(part, "n="); ok && x.facts.Username == "" {
			x.facts.Username = strings.NewReplacer("=2C", ",", "=3D", "=").Replace(name)
		}
	}
}

// digest reads the user name of a DIGEST-MD5 response (RFC 2831).
func (x *exchange) digest(raw []byte) {
	_, rest, ok := strings.Cut(string(raw), `username="`)
	if name, _, closed := strings.Cut(rest, `"`); ok && closed {
		x.facts.Username = name
	}
}
