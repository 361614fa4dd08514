package replay

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"

	"smtp-proxy/proxy/wire"
)

var errRounds = errors.New("the AUTH exchange does not come to an end")

// side is the app's side of the recorded mechanism or, where that is not known
// or does not go with the credentials, of one that the EHLO reply offers. It is
// nil when there is none.
func (c *Credentials) side(recorded, ehlo string) (string, sasl.Client) {
	recorded = strings.ToUpper(recorded)
	if side := c.sideOf(recorded); side != nil {
		return recorded, side
	}
	offered := offeredIn(ehlo)
	for _, name := range []string{"XOAUTH2", "OAUTHBEARER", "PLAIN", "LOGIN", "CRAM-MD5"} {
		if side := c.sideOf(name); side != nil && slices.Contains(offered, name) {
			return name, side
		}
	}
	return "", nil
}

func (c *Credentials) sideOf(mechanism string) sasl.Client {
	withToken := mechanism == "XOAUTH2" || mechanism == "OAUTHBEARER"
	if withToken != (c.Token != "") {
		return nil
	}
	switch mechanism {
	case "XOAUTH2":
		return &bearer{mechanism, "user=" + c.User + "\x01auth=Bearer " + c.Token + "\x01\x01", nil}
	case "OAUTHBEARER":
		name := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(c.User) // RFC 5801, section 4
		return &bearer{mechanism, "n,a=" + name + ",\x01auth=Bearer " + c.Token + "\x01\x01", []byte{1}}
	case "PLAIN":
		return sasl.NewPlainClient("", c.User, c.Password)
	case "LOGIN":
		return &login{answers: []string{c.User, c.Password}}
	case "CRAM-MD5":
		return &cram{c}
	}
	return nil
}

// offeredIn lists the mechanisms of an EHLO reply.
func offeredIn(ehlo string) (names []string) {
	r, _ := wire.ParseReply(ehlo)
	for _, line := range r.Lines[min(1, len(r.Lines)):] {
		if keyword, params := wire.Keyword([]byte(line)); keyword == "AUTH" {
			names = append(names, strings.Fields(strings.ToUpper(params))...)
		}
	}
	return names
}

// bearer is XOAUTH2 (of Google and Microsoft) or OAUTHBEARER (RFC 7628). Both
// tell the reason of a refusal in a challenge that wants an answer before the
// refusal itself, where go-sasl breaks the exchange off.
type bearer struct {
	mechanism, initial string
	empty              []byte
}

func (b *bearer) Start() (string, []byte, error) { return b.mechanism, []byte(b.initial), nil }
func (b *bearer) Next([]byte) ([]byte, error)    { return b.empty, nil }

// login answers the two questions of LOGIN by their order, since their words
// differ from server to server.
type login struct{ answers []string }

// Start offers the user name as the initial response.
func (l *login) Start() (string, []byte, error) {
	first := l.answers[0]
	l.answers = l.answers[1:]
	return "LOGIN", []byte(first), nil
}

func (l *login) Next([]byte) ([]byte, error) {
	if len(l.answers) == 0 {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	answer := l.answers[0]
	l.answers = l.answers[1:]
	return []byte(answer), nil
}

// cram is CRAM-MD5 (RFC 2195), which go-sasl lacks.
type cram struct{ *Credentials }

func (c *cram) Start() (string, []byte, error) { return "CRAM-MD5", nil, nil }

func (c *cram) Next(challenge []byte) ([]byte, error) {
	mac := hmac.New(md5.New, []byte(c.Password))
	mac.Write(challenge)
	return []byte(c.User + " " + hex.EncodeToString(mac.Sum(nil))), nil
}
