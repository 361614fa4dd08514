package replay

import (
	"slices"
	"strings"

	"smtp-proxy/proxy/wire"
)

// standing is where a session stands for the smarthost.
type standing struct {
	secure bool
	helo   bool // EHLO or HELO was accepted
	authed bool
	open   bool // MAIL was accepted
	to     []string
}

// order says whether a command comes where SMTP allows it (RFC 5321, section
// 4.1.4), and if not what is missing.
type order uint8

const (
	inOrder order = iota
	beforeHelo
	beforeMail
	beforeRcpt
	nestedMail
)

// moment is a command where it comes: what an answer depends on.
type moment struct {
	verb   string
	arg    string // an address, the recipients of a message, or whatever else tells two commands of a verb apart
	order  order
	secure bool
	authed bool
}

// moment returns the moment of a command line. AUTH and the end of a message
// fill in the argument themselves.
func (s *standing) moment(verb, text string) moment {
	return moment{verb: verb, arg: s.argument(verb, text), order: s.order(verb), secure: s.secure, authed: s.authed}
}

func (s *standing) order(verb string) order {
	switch {
	case verb == "MAIL" && !s.helo:
		return beforeHelo
	case verb == "MAIL" && s.open:
		return nestedMail
	case (verb == "RCPT" || verb == "DATA" || verb == "BDAT") && !s.open:
		return beforeMail
	case (verb == "DATA" || verb == "BDAT") && len(s.to) == 0:
		return beforeRcpt
	}
	return inOrder
}

func (s *standing) argument(verb, text string) string {
	arg := wire.ParseCommandText(text).Arg
	switch verb {
	case "MAIL", "RCPT":
		return address(arg)
	case ".":
		return strings.Join(slices.Sorted(slices.Values(s.to)), " ")
	case "BDAT":
		if _, last, _, _ := wire.Chunk(arg); last {
			return "last " + strings.Join(slices.Sorted(slices.Values(s.to)), " ")
		}
	case "VRFY", "EXPN":
		return strings.ToLower(arg)
	}
	return ""
}

// address returns the address of FROM:<…> and TO:<…>, in lower case: whoever
// takes two local parts for two mailboxes by their case alone is not to be
// found. Parameters do not count.
func address(arg string) string {
	if i := strings.IndexByte(arg, ':'); i >= 0 {
		arg = arg[i+1:]
	}
	arg = strings.TrimLeft(arg, " ")
	if strings.HasPrefix(arg, "<") {
		arg, _, _ = strings.Cut(arg[1:], ">")
	} else {
		arg, _, _ = strings.Cut(arg, " ")
	}
	return strings.ToLower(arg)
}

// The bounds of what is remembered of an app's recipients.
const (
	mostRecipients = 10_000
	mostAddress    = 1000 // octets of each
)

// advance does what the answer to a command changes.
func (s *standing) advance(q moment, code int) {
	accepted := code/100 == 2
	switch {
	case (q.verb == "EHLO" || q.verb == "HELO") && accepted:
		s.helo = true
		s.forget()
	case q.verb == "MAIL" && accepted:
		s.open, s.to = true, nil
	case q.verb == "RCPT" && accepted:
		if len(s.to) < mostRecipients {
			s.to = append(s.to, strings.Clone(q.arg[:min(len(q.arg), mostAddress)]))
		}
	case q.verb == "AUTH" && accepted:
		s.authed = true
	case q.verb == "RSET" && accepted, q.verb == ".", q.verb == "BDAT" && strings.HasPrefix(q.arg, "last "):
		s.forget()
	}
}

// forget ends the transaction.
func (s *standing) forget() { s.open, s.to = false, nil }

// shaken begins anew under TLS (RFC 3207, section 4.2).
func (s *standing) shaken() { *s = standing{secure: true} }
