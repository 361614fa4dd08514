package replay

import (
	"errors"
	"strings"

	"github.com/emersion/go-sasl"

	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream"
)

var errRounds = errors.New("the AUTH exchange does not come to an end")

// sideOf is the app's side of the recorded mechanism or, where that is not known
// or does not go with the credentials, of one that the EHLO reply offers. It is
// nil when there is none. initial says that the app sent its first response
// with the command.
func sideOf(c *Credentials, recorded, ehlo string, initial bool) (string, sasl.Client) {
	name := strings.ToUpper(recorded)
	side := c.Side(name)
	if side == nil {
		offers, _ := wire.ParseReply(ehlo)
		name, side = c.Best(upstream.Mechanisms(offers))
	}
	if name == "LOGIN" && initial {
		side = early{side}
	}
	return name, side
}

// early is LOGIN with the user name in the command.
type early struct{ sasl.Client }

func (e early) Start() (string, []byte, error) {
	name, _, err := e.Client.Start()
	if err != nil {
		return name, nil, err
	}
	first, err := e.Client.Next(nil)
	return name, first, err
}
