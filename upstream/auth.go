package upstream

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"

	"smtp-proxy/proxy/wire"
)

// Credentials sign in to a smarthost. A token goes with XOAUTH2 and
// OAUTHBEARER, a password with all other mechanisms. They print as ***.
type Credentials struct {
	User, Password, Token string
}

// String keeps them out of logs and messages.
func (Credentials) String() string { return "***" }

// GoString does the same for %#v.
func (Credentials) GoString() string { return "***" }

// Best is the app's side of the best of the mechanisms on offer that goes with
// the credentials, by its name. It is nil when there is none.
func (c Credentials) Best(offered []string) (string, sasl.Client) {
	for _, name := range []string{"XOAUTH2", "OAUTHBEARER", "PLAIN", "LOGIN", "CRAM-MD5"} {
		if side := c.Side(name); side != nil && slices.Contains(offered, name) {
			return name, side
		}
	}
	return "", nil
}

// Side is the app's side of a mechanism, named in upper case. It is nil for one
// that is not known, or does not go with the kind of secret.
func (c Credentials) Side(mechanism string) sasl.Client {
	bare := c.Token == "" && c.Password == ""
	switch {
	case strings.ContainsAny(c.User, "\x00\x01"):
		return nil
	case mechanism == "XOAUTH2" || mechanism == "OAUTHBEARER":
		if c.Token == "" {
			return nil
		}
	case c.Password == "" && !bare:
		return nil
	}
	switch mechanism {
	case "XOAUTH2":
		return &bearer{mechanism, "user=" + c.User + "\x01auth=Bearer " + c.Token + "\x01\x01", nil}
	case "OAUTHBEARER":
		return &bearer{mechanism, "n,a=" + gs2(c.User) + ",\x01auth=Bearer " + c.Token + "\x01\x01", []byte{1}}
	case "PLAIN":
		return sasl.NewPlainClient("", c.User, c.Password)
	case "LOGIN":
		return &login{answers: []string{c.User, c.Password}}
	case "CRAM-MD5":
		return &cram{user: c.User, secret: c.Password}
	}
	return nil
}

// maxMechanisms bounds how many mechanisms are read: there are not as many.
const maxMechanisms = 32

// Mechanisms lists what a reply to EHLO offers for AUTH, in its order, in upper
// case.
func Mechanisms(ehlo wire.Reply) (names []string) {
	for _, text := range ehlo.Lines[min(1, len(ehlo.Lines)):] {
		keyword, params := wire.Keyword([]byte(text))
		if keyword != "AUTH" {
			continue
		}
		for _, name := range strings.Fields(strings.ToUpper(params)) {
			if len(names) < maxMechanisms && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// bearer is XOAUTH2 (of Google and Microsoft) or OAUTHBEARER (RFC 7628). Both
// tell the reason of a refusal in a challenge that wants an empty answer before
// the refusal itself, where go-sasl breaks the exchange off.
type bearer struct {
	mechanism, initial string
	empty              []byte
}

func (b *bearer) Start() (string, []byte, error)           { return b.mechanism, []byte(b.initial), nil }
func (b *bearer) Next([]byte) (response []byte, err error) { return b.empty, nil }

// gs2 escapes a name as RFC 5801, section 4 has it.
func gs2(name string) string { return strings.NewReplacer("=", "=3D", ",", "=2C").Replace(name) }

// login answers the two questions of LOGIN by their order: their words differ
// from server to server, and go-sasl knows one of them.
type login struct{ answers []string }

func (l *login) Start() (string, []byte, error) { return "LOGIN", nil, nil }

func (l *login) Next([]byte) ([]byte, error) {
	if len(l.answers) == 0 {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	answer := l.answers[0]
	l.answers = l.answers[1:]
	return []byte(answer), nil
}

// cram is CRAM-MD5 (RFC 2195), which go-sasl lacks. It answers one challenge.
type cram struct {
	user, secret string
	answered     bool
}

func (c *cram) Start() (string, []byte, error) { return "CRAM-MD5", nil, nil }

func (c *cram) Next(challenge []byte) ([]byte, error) {
	if c.answered {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	c.answered = true
	mac := hmac.New(md5.New, []byte(c.secret))
	mac.Write(challenge)
	return []byte(c.user + " " + hex.EncodeToString(mac.Sum(nil))), nil
}
