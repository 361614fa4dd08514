package probe

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/emersion/go-sasl"

	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream"
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
	offered := upstream.Mechanisms(a.offers)
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

// way chooses a mechanism: the one that the script names, offered or not, else
// the best on offer. The side is nil when there is none.
func (a *caller) way(offered []string) (string, sasl.Client) {
	c := upstream.Credentials{User: a.script.User, Password: a.script.Password, Token: a.script.Token}
	named := strings.ToUpper(a.script.Mechanism)
	if named == "" {
		return c.Best(offered)
	}
	// Who names it knows what goes with it.
	c.Token, c.Password = orElse(c.Token, c.Password), orElse(c.Password, c.Token)
	return named, c.Side(named)
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
