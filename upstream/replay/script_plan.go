package replay

import (
	"fmt"
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// plan decides, line by line, what of a record is said again.
type plan struct {
	options   Options
	recording Recording
	script    Script

	at          int  // index of what is being planned
	omitted     bool // what was said last is left out
	transaction      // the one that is being planned
}

// transaction is what has become of one in the plan.
type transaction struct {
	unsaid     bool // its MAIL is left out
	closed     bool // RSET stands in the place of its message
	recipients int  // of To, those that stand in it
}

// all plans what was said, in order.
func (p *plan) all(said []spoken) {
	signs := p.signsIn(said)
	for i := range said {
		said[i].index, p.at = i, i
		s := said[i]
		switch s.kind {
		case spokenLine:
			p.line(said, i)
		case spokenAuth:
			p.auth(&s, slices.Contains(signs, i))
		case spokenContent:
			if !p.closed && !p.unsaid && !p.options.dry() {
				p.say(s)
			}
		case spokenTLS:
			if s.failed {
				p.leave("TLS on the app's leg", "the app's own handshake failed")
			}
			p.say(s)
		case spokenNothing:
			if !p.omitted || s.reply.Code == 421 { // a second reply to what is not said will not come
				p.say(s)
			}
		default:
			p.say(s)
		}
	}
}

func (p *plan) say(s spoken) {
	p.omitted = false
	p.script.said = append(p.script.said, s)
}

// leave says what is not sent, and why.
func (p *plan) leave(what, why string) {
	p.omitted = true
	p.script.omit(p.at, what+": "+why)
}

// line plans a command.
func (p *plan) line(said []spoken, i int) {
	s := said[i]
	switch s.verb {
	case "MAIL", "EHLO", "HELO", "RSET":
		p.transaction = transaction{}
	}
	switch why := p.forbids(&s); {
	case why != "":
		p.unsaid = p.unsaid || s.verb == "MAIL"
		p.leave(named(&s), why)
	case s.verb == "DATA" || s.verb == "BDAT":
		p.message(said, i)
	case s.verb == "RCPT" && len(p.options.To) > 0:
		s.text = p.readdressed(s.text)
		p.say(s)
	default:
		p.say(s)
	}
}

// forbids says why a line is not sent, or nothing.
func (p *plan) forbids(s *spoken) string {
	switch {
	case s.why != "":
		return s.why
	case p.unsaid && slices.Contains([]string{"RCPT", "DATA", "BDAT", "BURL"}, s.verb):
		return "its MAIL is not sent"
	case p.closed && s.verb == "RCPT":
		return "the transaction was ended before it"
	case p.options.Deliver && len(p.options.To) == 0:
		return ""
	case strings.ContainsAny(s.text, "\r\n"):
		return "it holds a bare newline, where a lax smarthost would read a second command"
	case p.web(s):
		return ""
	case !harmless(s.verb) && s.verb != "DATA" && s.verb != "BDAT":
		return "it is not known to be without effect"
	}
	return ""
}

// web reports the first line of a web page's, which the relay refuses and does
// not send on.
func (p *plan) web(s *spoken) bool {
	spoke := slices.ContainsFunc(p.script.said, func(s spoken) bool { return s.kind == spokenLine })
	return !spoke && wire.LooksLikeHTTP([]byte(s.text))
}

// harmless reports whether a verb can bring no message on its way by itself,
// whoever obeys it. MAIL and RCPT come to nothing without DATA, BDAT or BURL.
func harmless(verb string) bool {
	switch verb {
	case "EHLO", "HELO", "LHLO", "MAIL", "RCPT", "RSET", "NOOP", "QUIT", "VRFY", "EXPN", "HELP", "STARTTLS", "XCLIENT", "XFORWARD":
		return true
	}
	return false
}

// message plans DATA or BDAT: as recorded, or a RSET in its place.
func (p *plan) message(said []spoken, i int) {
	s := said[i]
	why := ""
	switch {
	case p.options.dry():
		why = "a dry run ends the transaction behind its last RCPT"
	case broken(said, i):
		why = "the message was not passed on to its end"
	}
	switch {
	case why == "" && !p.closed:
		p.rest(&s)
		p.say(s)
	case !p.closed:
		p.closed = true
		p.leave(named(&s), why)
		p.say(spoken{kind: spokenLine, text: "RSET", verb: "RSET", phase: session.PhaseRcpt, at: s.at, index: i, awaited: s.awaited, message: s.message, own: true})
		p.omitted = true
	case s.verb == "DATA":
		p.leave(named(&s), why)
	}
}

// broken reports whether the content behind DATA or BDAT is not whole, so that
// the record has no end for it.
func broken(said []spoken, i int) bool {
	s := &said[i]
	if s.verb == "BDAT" {
		size, _, ok, _ := wire.Chunk(wire.ParseCommandText(s.text).Arg)
		return !s.complete || !ok || size != s.octets || s.message < 0
	}
	if !s.good() {
		return false // no content was due
	}
	if s.message < 0 { // without MAIL nothing was kept
		return true
	}
	for _, next := range said[i+1:] {
		if next.kind == spokenContent {
			return !next.complete
		}
	}
	return true
}

// auth plans an AUTH exchange.
func (p *plan) auth(s *spoken, signs bool) {
	switch {
	case p.options.Auth == nil:
		p.leave(s.label(), "no credentials were given, and a record holds none")
	case s.unfinished():
		p.leave(s.label(), "the app broke it off")
	case !signs:
		p.leave(s.label(), "it was refused then, and credentials are tried once")
	default:
		p.say(*s)
	}
}

// unfinished reports an AUTH exchange that the app did not go on with.
func (s *spoken) unfinished() bool {
	return s.cancelled || s.reply != nil && s.reply.Code == 334
}

// signsIn chooses the exchanges that are made again: those that were accepted,
// else the first. A wrong password is never offered twice: accounts get locked.
func (p *plan) signsIn(said []spoken) (chosen []int) {
	first := -1
	for i := range said {
		s := &said[i]
		switch {
		case s.kind != spokenAuth || s.unfinished():
		case s.good():
			chosen = append(chosen, i)
		case first < 0:
			first = i
		}
	}
	if len(chosen) == 0 && first >= 0 {
		return []int{first}
	}
	return chosen
}

// named is a line for a person, in a list of what was not sent.
func named(s *spoken) string {
	const most = 200
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s.text)
	if text == "" {
		text = "a command"
	}
	if len(text) > most {
		return fmt.Sprintf("%s… (%d octets)", strings.ToValidUTF8(text[:most], ""), len(s.text))
	}
	return text
}
