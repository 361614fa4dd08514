package replay

import (
	"cmp"
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// judge draws the consequences of a reply.
func (p *player) judge(s *spoken, now session.Entry) {
	good := s.accepts(now.Code)
	if good && s.advances() && rank(s.phase) > rank(p.result.Reached) {
		p.result.Reached = s.phase
	}
	if s.good() && !good {
		p.fails(failedPhase(s.phase, now.Text))
	}
	if now.Code == 421 && (s.reply == nil || s.reply.Code != 421) {
		p.giveUp, p.over = cmp.Or(p.giveUp, "the session was ended with 421"), true
	}
	switch {
	case s.kind == spokenContent:
		p.state.text = false
		p.delivered(good)
	case s.kind == spokenAuth:
		p.signed(s, good)
	case s.kind == spokenLine:
		p.judgeLine(s, now)
	}
}

func (p *player) judgeLine(s *spoken, now session.Entry) {
	good := s.accepts(now.Code)
	switch s.verb {
	case "EHLO", "HELO", "LHLO":
		p.offers, p.abandoned = now.Text, false
	case "STARTTLS":
		p.refusal(s, good, "STARTTLS was refused")
		p.ready = now.Code == 220
	case "MAIL":
		p.state.began = good
		p.refuses(s, good, "its MAIL was refused")
	case "RCPT":
		if good {
			p.state.accepted++
		}
	case "DATA":
		p.data(s, now.Code)
	case "BDAT":
		p.refuses(s, good, "its BDAT was refused")
		_, last, _, _ := wire.Chunk(wire.ParseCommandText(s.text).Arg)
		p.delivered(good && last)
	case "RSET":
		p.abandoned = false
		if s.own && !good {
			p.giveUp = cmp.Or(p.giveUp, "RSET was refused")
		}
	}
	if now.Code/100 == 3 && s.verb != "DATA" {
		p.giveUp = cmp.Or(p.giveUp, "the smarthost asks for data after "+s.verb)
		p.leave()
	}
}

// refusal ends the session where something was refused that it stood on.
func (p *player) refusal(s *spoken, good bool, why string) {
	if s.good() && !good {
		p.giveUp = cmp.Or(p.giveUp, why)
	}
}

// refuses ends the transaction in the same case.
func (p *player) refuses(s *spoken, good bool, why string) {
	if s.good() && !good && s.message == p.state.message {
		p.state.refused = cmp.Or(p.state.refused, why)
	}
}

// data goes on behind the reply to DATA.
func (p *player) data(s *spoken, code int) {
	p.refuses(s, s.accepts(code), "its DATA was refused")
	p.state.text = code/100 == 3
	if p.state.text && !s.good() {
		// Nothing can be said now but text, and the record has none. Without
		// its end nothing is delivered.
		p.giveUp = cmp.Or(p.giveUp, "DATA was accepted now, and the record holds no message for it")
		p.leave()
	}
}

func (p *player) delivered(yes bool) {
	if yes {
		p.result.Delivered++
	}
}

// fails notes the first refusal that was none then.
func (p *player) fails(phase session.Phase) {
	p.result.failed = cmp.Or(p.result.failed, phase)
}

// failedPhase is where the session failed: the relay says it of its own
// troubles, which may be another place than that of the reply.
func failedPhase(phase session.Phase, text string) session.Phase {
	_, own, _ := strings.Cut(text, " smtp-proxy: ")
	switch {
	case strings.HasPrefix(own, "TLS with "):
		return session.PhaseTLS
	case phase == session.PhaseGreeting && strings.HasPrefix(text, "421 4.4.1 smtp-proxy: "):
		return session.PhaseConnect
	}
	return phase
}

// enter notes the beginning of another transaction.
func (p *player) enter(s *spoken) {
	if s.message != p.state.message {
		p.state = playedState{message: s.message, text: p.state.text}
	}
}

// skips says why something is not said after all, or nothing.
func (p *player) skips(s *spoken) string {
	switch {
	case s.kind == spokenEnd:
		return ""
	case p.gone || p.left:
		return cmp.Or(p.giveUp, "the connection was closed")
	case p.state.text && s.kind != spokenContent:
		return cmp.Or(p.giveUp, "the smarthost waits for a message")
	case p.giveUp != "" && s.verb == "QUIT" && !p.over:
		return ""
	case p.giveUp != "":
		return p.giveUp
	case !p.ofTransaction(s):
		return ""
	case p.state.refused != "":
		return p.state.refused
	case s.kind == spokenContent && !p.state.text:
		return "the smarthost did not wait for it"
	case s.verb == "BDAT" && !p.chunks():
		p.state.refused = "CHUNKING is not on offer now, and its octets would be read as commands"
	case (s.verb == "DATA" || s.verb == "BDAT") && s.good() && p.nobody():
		p.state.refused = "no recipient was accepted"
	}
	return p.state.refused
}

// chunks reports whether the smarthost takes BDAT (RFC 3030).
func (p *player) chunks() bool {
	if slices.ContainsFunc(p.due, func(d due) bool { return d.said.verb == "EHLO" }) {
		p.awaitAll()
	}
	return wire.Offers([]byte(strings.ReplaceAll(p.offers, "\n", "\r\n")+"\r\n"), "CHUNKING")
}

// nobody reports whether the transaction has no recipient and none whose reply
// is still due.
func (p *player) nobody() bool {
	return p.state.accepted == 0 && !slices.ContainsFunc(p.due, func(d due) bool { return d.said.verb == "RCPT" })
}

// ofTransaction reports whether something has a meaning within its transaction
// only.
func (p *player) ofTransaction(s *spoken) bool {
	switch s.verb {
	case "RCPT", "DATA", "BDAT", "BURL":
		return true
	}
	return s.kind == spokenContent || s.own
}

// omit notes what is not said.
func (p *player) omit(s *spoken, why string) {
	p.abandoned = p.abandoned || p.state.began && p.ofTransaction(s)
	if s.kind == spokenContent && p.state.text {
		p.giveUp = cmp.Or(p.giveUp, why)
		p.leave() // whatever is said now would be text; without its end nothing is delivered
	}
	switch {
	case s.own, s.kind == spokenNothing && s.phase != session.PhaseGreeting:
	case s.kind == spokenContent:
		p.omitted = append(p.omitted, omission{s.index, "the message: " + why})
	case s.kind == spokenLine:
		p.omitted = append(p.omitted, omission{s.index, named(s) + ": " + why})
	default:
		p.omitted = append(p.omitted, omission{s.index, s.label() + ": " + why})
	}
}
