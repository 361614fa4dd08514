package probe

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"smtp-proxy/proxy/wire"
)

// The parts of a dialogue, as lines of the ladder are named after them.
const (
	partConnect     = "connect"
	partGreeting    = "greeting"
	partEHLO        = "ehlo"
	partSTARTTLS    = "starttls"
	partTLS         = "tls"
	partCertificate = "certificate"
	partAuth        = "auth"
	partMail        = "mail"
	partRcpt        = "rcpt"
	partDelivery    = "delivery"
)

// caller is the app of a dialogue: it follows its script one reply at a time
// and leaves at the first refusal, as most programs do.
type caller struct {
	script   Script
	upstream string // host:port, for the test message

	name    string // for EHLO
	trusted bool   // a password may go out in clear
	private bool   // the connection is under TLS

	next    func(wire.Reply) // what the reply that is due is for
	out     [][]byte         // to be said
	partial []byte           // of a reply
	left    bool
	tired   string            // why it has left in the middle; empty when it did not
	skips   map[string]string // the parts of the script that are left out, and why
	offers  wire.Reply        // the last reply to EHLO
	signIn  *signIn
}

func newCaller(s Script, upstream string) *caller {
	a := &caller{script: s, upstream: upstream, skips: map[string]string{}}
	a.next = a.greeted
	return a
}

// met says how the app names itself and whether a password may go in clear.
func (a *caller) met(name string, trusted bool) {
	a.name, a.trusted = name, trusted
	if a.script.Name != "" && speakable(a.script.Name) == nil {
		a.name = a.script.Name
	}
}

// take returns what is to be said next, nil for nothing.
func (a *caller) take() []byte {
	if len(a.out) == 0 {
		return nil
	}
	line := a.out[0]
	a.out = a.out[1:]
	return line
}

// hear takes what the smarthost says. What is no reply, or does not end, is
// more than most programs stay for.
func (a *caller) hear(b []byte) {
	if a.left {
		return
	}
	a.partial = append(a.partial, b...)
	for start := 0; !a.left; {
		n := bytes.IndexByte(a.partial[start:], '\n') + 1
		if n == 0 {
			if len(a.partial) > maxReply {
				a.leave(fmt.Sprintf("a reply of more than %d octets", maxReply))
			}
			return
		}
		_, more, _, ok := wire.ReplyLine(a.partial[start : start+n])
		start += n
		switch {
		case !ok:
			a.leave("a line that is no SMTP reply")
		case !more:
			reply, _ := wire.ParseReply(string(a.partial[:start]))
			a.partial, start = a.partial[start:], 0
			a.answered(reply)
		}
	}
}

// leave ends the session without a word.
func (a *caller) leave(why string) { a.left, a.tired = true, why }

func (a *caller) answered(r wire.Reply) {
	if r.Code == 421 { // it hangs up, so there is nobody to say QUIT to
		a.left = true
		return
	}
	a.next(r)
}

// say sends a line; then is for its reply.
func (a *caller) say(line string, then func(wire.Reply)) {
	a.out, a.next = append(a.out, []byte(line+"\r\n")), then
}

func (a *caller) quit(wire.Reply) { a.say("QUIT", func(wire.Reply) { a.left = true }) }

func (a *caller) greeted(r wire.Reply) {
	if r.Code/100 != 2 {
		a.quit(r)
		return
	}
	a.say("EHLO "+a.name, a.helloed)
}

func (a *caller) helloed(r wire.Reply) {
	switch {
	case r.Code == 250:
		a.offers = r
		a.authenticate()
	case beforeEHLO(r.Code):
		a.say("HELO "+a.name, func(r wire.Reply) {
			if r.Code/100 != 2 {
				a.quit(r)
				return
			}
			a.authenticate()
		})
	default:
		a.quit(r)
	}
}

// beforeEHLO tells the replies to EHLO of a server that knows only HELO (RFC
// 5321, section 3.2).
func beforeEHLO(code int) bool { return code == 500 || code == 502 }

// mail begins the transaction, if the script has one.
func (a *caller) mail(r wire.Reply) {
	switch err := speakable(a.script.From); {
	case a.script.From == "":
		a.skips[partMail] = "no sender given (--from)"
	case err != nil:
		a.skips[partMail] = "the sender's address was not sent: " + err.Error()
	default:
		a.say("MAIL FROM:<"+a.script.From+">"+a.unicode(), a.mailed)
		return
	}
	a.quit(r)
}

// unicode is the parameter that addresses beyond ASCII need (RFC 6531, section
// 3.4), where it is on offer; where not, the smarthost shall say so itself.
func (a *caller) unicode() string {
	beyond := strings.ContainsFunc(a.script.From+a.script.To, func(r rune) bool { return r >= utf8.RuneSelf })
	if beyond && len(a.offers.Lines) > 0 && offers(a.offers, "SMTPUTF8") {
		return " SMTPUTF8"
	}
	return ""
}

func (a *caller) mailed(r wire.Reply) {
	err := speakable(a.script.To)
	switch {
	case r.Code/100 != 2:
		a.quit(r)
		return
	case a.script.To == "":
		a.skips[partRcpt] = "no recipient given (--to)"
	case err != nil:
		a.skips[partRcpt] = "the recipient's address was not sent: " + err.Error()
	default:
		a.say("RCPT TO:<"+a.script.To+">", a.addressed)
		return
	}
	a.say("RSET", a.quit)
}

func (a *caller) addressed(r wire.Reply) {
	switch {
	case r.Code/100 != 2:
		a.quit(r)
	case a.script.Deliver:
		a.say("DATA", a.invited)
	default:
		a.skips[partDelivery] = fmt.Sprintf("no message was sent to %s: none was asked for (--deliver)", a.script.To)
		a.say("RSET", a.quit)
	}
}

func (a *caller) invited(r wire.Reply) {
	if r.Code != 354 {
		a.quit(r)
		return
	}
	a.say(a.letter()+".", a.quit)
}
