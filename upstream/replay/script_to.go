package replay

import (
	"errors"
	"fmt"
	"strings"

	"smtp-proxy/proxy/session"
)

// check refuses what no script can follow.
func (o Options) check() error {
	for _, to := range o.To {
		if to == "" || len(to) > 320 || strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '<' || r == '>' }) {
			return fmt.Errorf("%q is no address to deliver to", to)
		}
	}
	if a := o.Auth; a != nil && (a.User == "" || strings.ContainsAny(a.User+a.Password+a.Token, "\x00\x01\r\n")) {
		return errors.New("a user name is missing, or a control character stands in the credentials")
	}
	return nil
}

// readdressed returns a RCPT for the next of the addresses to deliver to. Of its
// parameters NOTIFY stays: ORCPT names the address that is replaced, and others
// may (RRVS, RFC 7293) concern it.
func (p *plan) readdressed(text string) string {
	to := p.options.To[p.recipients%len(p.options.To)]
	p.recipients++
	line := "RCPT TO:<" + to + ">"
	for _, param := range strings.Fields(parametersOf(text)) {
		if name, value, _ := strings.Cut(param, "="); strings.EqualFold(name, "NOTIFY") && value != "" {
			line += " " + param
		}
	}
	return line
}

// parametersOf returns what stands behind the address of a RCPT. A > within
// quotes belongs to the address.
func parametersOf(text string) string {
	_, rest, found := strings.Cut(text, "<")
	if !found {
		return ""
	}
	quoted := false
	for i := 0; i < len(rest); i++ {
		switch {
		case rest[i] == '\\' && quoted:
			i++
		case rest[i] == '"':
			quoted = !quoted
		case rest[i] == '>' && !quoted:
			return rest[i+1:]
		}
	}
	return ""
}

// rest names those of the addresses for which the record had no RCPT.
func (p *plan) rest(data *spoken) {
	for p.recipients > 0 && p.recipients < len(p.options.To) {
		p.say(spoken{kind: spokenLine, text: p.readdressed(""), verb: "RCPT", phase: session.PhaseRcpt, at: data.at,
			index: data.index, awaited: data.awaited, message: data.message, own: true})
	}
}
