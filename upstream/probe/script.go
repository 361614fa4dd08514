package probe

import (
	"errors"
	"strings"
)

// Script says how far a dialogue with a smarthost goes. The zero value goes
// through the greeting, EHLO and TLS, and leaves.
type Script struct {
	Name      string // for EHLO; empty means that of Options
	User      string // for AUTH, tried once; empty means none
	Password  string // never recorded
	Token     string // an OAuth access token instead of a password; never recorded
	Mechanism string // for AUTH; empty means the best that is offered
	From      string // for MAIL, without brackets; empty means that it is not sent
	To        string // for RCPT, which needs From
	Deliver   bool   // DATA with a short message; otherwise RSET behind RCPT
}

// speakable reports why a word cannot stand in a command line: what would end
// the line or its path would say other commands than the script's.
func speakable(word string) error {
	if strings.ContainsFunc(word, func(r rune) bool { return r < ' ' || r == 0x7f || r == '<' || r == '>' }) {
		return errors.New("it holds a control character or an angle bracket")
	}
	return nil
}
