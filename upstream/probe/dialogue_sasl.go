package probe

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"

	"smtp-proxy/proxy/wire"
)

// The bounds of an AUTH exchange.
const (
	maxRounds  = 5   // challenges
	maxCommand = 512 // octets of a command with its end (RFC 5321, section 4.5.3.1.4)
)

// signIn is the one attempt of a dialogue to sign in.
type signIn struct {
	mechanism string
	side      sasl.Client
	held      []byte // the initial response, for which the command has no room
	rounds    int
}

// authenticate signs in if the script has a user, there is a way to do it, and
// nobody on the path can read along.
func (a *caller) authenticate() {
	offered := mechanisms(a.offers)
	mechanism, side := a.way(offered)
	switch {
	case a.script.User == "":
		a.skips[partAuth] = onOffer(offered) + "; no user given (--user)"
	case !a.private && !a.trusted:
		a.skips[partAuth] = onOffer(offered) + "; not tried: the connection is in clear, and the password would be readable on its way"
	case len(offered) == 0 && a.script.Mechanism == "":
		a.skips[partAuth] = onOffer(offered)
	case side == nil:
		a.skips[partAuth] = onOffer(offered) + "; not tried: " + a.noWay()
	case a.signIn == nil: // one attempt, whatever comes
		a.signIn = &signIn{mechanism: mechanism, side: side}
		a.begin()
		return
	}
	a.mail(wire.Reply{})
}

func onOffer(offered []string) string {
	if len(offered) == 0 {
		return "no mechanism on offer"
	}
	return "on offer: " + strings.Join(offered, ", ")
}

func (a *caller) noWay() string {
	switch {
	case a.script.Mechanism != "":
		return fmt.Sprintf("this program does not know %s", strings.ToUpper(a.script.Mechanism))
	case a.script.Token != "":
		return "none of them takes an OAuth token"
	}
	return "this program signs in with a password by PLAIN, LOGIN, CRAM-MD5 only"
}

// maxMechanisms bounds how many mechanisms are read: there are not as many.
const maxMechanisms = 32

// mechanisms lists what a reply to EHLO offers for AUTH, in its order.
func mechanisms(ehlo wire.Reply) (names []string) {
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

// way chooses a mechanism: the one that the script names, offered or not, else
// the best on offer. The side is nil when there is none.
func (a *caller) way(offered []string) (string, sasl.Client) {
	if named := strings.ToUpper(a.script.Mechanism); named != "" {
		return named, a.sideOf(named)
	}
	for _, name := range []string{"XOAUTH2", "OAUTHBEARER", "PLAIN", "LOGIN", "CRAM-MD5"} {
		if side := a.sideOf(name); side != nil && slices.Contains(offered, name) {
			return name, side
		}
	}
	return "", nil
}

// sideOf is the app's side of a mechanism, nil for one that is not known or
// does not go with the kind of secret that was given.
func (a *caller) sideOf(mechanism string) sasl.Client {
	s := a.script
	withToken := mechanism == "XOAUTH2" || mechanism == "OAUTHBEARER"
	switch {
	case strings.ContainsAny(s.User, "\x00\x01"):
		return nil
	case s.Mechanism != "": // who names it knows what goes with it
		s.Token, s.Password = orElse(s.Token, s.Password), orElse(s.Password, s.Token)
	case withToken != (s.Token != ""):
		return nil
	}
	switch mechanism {
	case "XOAUTH2":
		return &bearer{mechanism, "user=" + s.User + "\x01auth=Bearer " + s.Token + "\x01\x01", nil}
	case "OAUTHBEARER":
		return &bearer{mechanism, "n,a=" + gs2(s.User) + ",\x01auth=Bearer " + s.Token + "\x01\x01", []byte{1}}
	case "PLAIN":
		return sasl.NewPlainClient("", s.User, s.Password)
	case "LOGIN":
		return &login{answers: []string{s.User, s.Password}}
	case "CRAM-MD5":
		return &cram{user: s.User, secret: s.Password}
	}
	return nil
}

// begin says AUTH. What makes the command too long has to wait for the first
// challenge, which is empty (RFC 4954, section 4): tokens often do.
func (a *caller) begin() {
	_, initial, err := a.signIn.side.Start()
	line := "AUTH " + a.signIn.mechanism
	whole := line + " " + base64.StdEncoding.EncodeToString(initial)
	switch {
	case err != nil:
		a.quit(wire.Reply{})
		return
	case len(whole)+len("\r\n") > maxCommand:
		a.signIn.held = initial
	case initial != nil:
		line = whole
	}
	a.say(line, a.challenged)
}

// challenged goes on with the exchange. What cannot be answered is cancelled,
// as RFC 4954, section 4 wants it.
func (a *caller) challenged(r wire.Reply) {
	switch {
	case r.Code == 235:
		a.mail(r)
		return
	case r.Code != 334:
		a.quit(r)
		return
	}
	if held := a.signIn.held; held != nil {
		a.signIn.held = nil
		a.say(base64.StdEncoding.EncodeToString(held), a.challenged)
		return
	}
	a.signIn.rounds++
	answer := "*"
	challenge, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.Text()))
	if err == nil && a.signIn.rounds <= maxRounds {
		if response, err := a.signIn.side.Next(challenge); err == nil {
			answer = base64.StdEncoding.EncodeToString(response)
		}
	}
	a.say(answer, a.challenged)
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
