package replay

import (
	"cmp"
	"encoding/base64"
	"strings"
	"time"

	"github.com/emersion/go-sasl"

	"smtp-proxy/proxy/session"
)

// maxRounds bounds the challenges of an AUTH exchange.
const maxRounds = 5

// signIn makes the exchange anew. One reply counts, the last.
func (p *player) signIn(s *spoken) {
	if p.giveUp != "" || p.gone {
		p.omit(s, cmp.Or(p.giveUp, "the connection was closed"))
		return
	}
	mechanism, side := sideOf(p.options.Auth, s.mechanism, p.offers, s.initial)
	if side == nil || p.signedIn > 0 {
		p.omit(s, "these credentials do not go with it")
		return
	}
	_, first, err := side.Start()
	if err != nil {
		p.omit(s, err.Error())
		return
	}
	p.keepSecrets(p.options.Auth)
	line := "AUTH " + mechanism
	held := first
	if first != nil && s.initial {
		line, held = line+" "+p.secret(encode(first)), nil
	}
	d := due{said: s, sent: time.Now()}
	for range maxRounds {
		now, err := p.ask(line)
		if err != nil {
			p.silent(d, err)
			return
		}
		if now.Code != 334 {
			p.heard(d, now, false)
			return
		}
		line, held = p.secret(respond(side, held, now)), nil
	}
	p.silent(d, errRounds)
}

// secret remembers what is sent of a secret. The longest comes first, since the
// others may be parts of it.
func (p *player) secret(blob string) string {
	if blob != "" && blob != "*" {
		p.secrets = append([]string{blob}, p.secrets...)
	}
	return blob
}

// ask says one line of the exchange and waits for what comes.
func (p *player) ask(line string) (session.Entry, error) {
	p.write([]byte(line + "\r\n"))
	_ = p.conn.SetReadDeadline(time.Now().Add(p.options.Timeout))
	return p.reply()
}

// respond returns the next line to a challenge. What cannot be answered is cancelled
// (RFC 4954, section 4).
func respond(side sasl.Client, held []byte, now session.Entry) string {
	if held != nil {
		return encode(held)
	}
	_, text, _ := strings.Cut(now.Text, " ")
	challenge, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return "*"
	}
	response, err := side.Next(challenge)
	if err != nil {
		return "*"
	}
	return encode(response)
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// signed goes on behind the last reply.
func (p *player) signed(s *spoken, good bool) {
	if !good {
		p.signedIn++
	}
	p.refusal(s, good, "AUTH was refused")
}
