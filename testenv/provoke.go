package testenv

import (
	_ "embed" // usual.txt
	"regexp"
	"strconv"
	"strings"
)

// Provocation is a kind of address that makes a smarthost of this package
// misbehave on demand.
type Provocation struct {
	Pattern string // how the local part is built
	Phase   string // when the reply comes: mail, rcpt, data, dot
	Example string
	Meaning string
}

// Provocations returns the table of addresses that provoke a reply.
func Provocations() []Provocation {
	return []Provocation{
		{"CODE_E.N.H", "rcpt", "550_5.1.1@example.com", "as a recipient: this reply to RCPT, with a text that is usual for it"},
		{"CODE", "rcpt", "452@example.com", "the same without an enhanced code"},
		{"rcptCODE_E.N.H", "rcpt", "rcpt451_4.7.1@example.com", "the same, the phase spelled out"},
		{"mailCODE_E.N.H", "mail", "mail550_5.7.1@example.com", "as the sender: this reply to MAIL"},
		{"dataCODE_E.N.H", "data", "data554_5.6.0@example.com", "as sender or recipient: this reply to DATA (the plain sandbox, which has sent its 354 by then, gives it after the final dot)"},
		{"dotCODE_E.N.H", "dot", "dot552_5.3.4@example.com", "as sender or recipient: this reply after the final dot"},
		{"greylist", "rcpt", "greylist@example.com", "as a recipient: 451 4.7.1 to the first RCPT of a sender, 250 from the second on"},
	}
}

// provoked is what an address asks for.
type provoked struct {
	phase    string
	code     int
	enhanced string // "5.1.1" or empty
}

// pattern lets +detail and _words follow, so that several recipients can
// provoke the same reply.
var pattern = regexp.MustCompile(`^(?i)(mail|rcpt|data|dot)?([45][0-9]{2})(?:_([45]\.[0-9]{1,3}\.[0-9]{1,3}))?(?:[-+_].*)?$`)

// provocation reads the local part of an address. phase is the one that
// applies when the address names none.
func provocation(addr, phase string) (provoked, bool) {
	local, _, _ := strings.Cut(addr, "@")
	m := pattern.FindStringSubmatch(local)
	if m == nil {
		return provoked{}, false
	}
	if m[1] != "" {
		phase = strings.ToLower(m[1])
	}
	code, _ := strconv.Atoi(m[2])
	return provoked{phase: phase, code: code, enhanced: m[3]}, true
}

// text returns what real servers say with such a code, about addr.
func (p provoked) text(addr string) string {
	say, ok := usualText(p.enhanced)
	if !ok {
		say, ok = usualText(strconv.Itoa(p.code))
	}
	if !ok {
		say = "Requested action not taken"
	}
	return strings.ReplaceAll(say, "{addr}", addr)
}

// reply returns the whole reply line, without its line end.
func (p provoked) reply(addr string) string {
	parts := []string{strconv.Itoa(p.code)}
	if p.enhanced != "" {
		parts = append(parts, p.enhanced)
	}
	return strings.Join(append(parts, p.text(addr)), " ")
}

//go:embed usual.txt
var usualTexts string

// usualText gives the words that Postfix, or whoever is known for the code,
// puts behind it.
func usualText(code string) (string, bool) {
	for line := range strings.Lines(usualTexts) {
		if key, say, ok := strings.Cut(line, " "); ok && key == code {
			return strings.TrimSpace(say), true
		}
	}
	return "", false
}
