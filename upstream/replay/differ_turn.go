package replay

import (
	"regexp"
	"strings"

	"smtp-proxy/proxy/session"
)

// turn is one thing that the app said, with the reply that ended it.
type turn struct {
	verb  string
	text  string // as said
	same  string // what of it has a meaning
	phase session.Phase
	reply *session.Entry // nil when none came
}

// unasked is the verb of a reply that answers no command.
const unasked = "(unasked)"

// turnsOf reads a session as the app's words and the replies to them. A reply
// belongs to the oldest command of its verb that has none.
func turnsOf(entries []session.Entry) (said []turn) {
	due := 0 // everything before it has its reply
	for i := range entries {
		e := &entries[i]
		switch {
		case e.Kind == session.KindReply && !e.Own:
			said = answered(said, due, e)
			for due < len(said) && said[due].reply != nil {
				due++
			}
		case e.From != session.FromApp || e.Own:
		case e.Kind == session.KindCommand, e.Kind == session.KindAuth && begins(said), e.Kind == session.KindData && e.Verb == ".":
			said = append(said, turnOf(e))
		}
	}
	return said
}

// begins reports whether a line of AUTH is the first of its exchange.
func begins(said []turn) bool {
	if len(said) == 0 {
		return true
	}
	last := said[len(said)-1]
	return last.verb != "AUTH" || last.reply != nil && last.reply.Code != 334
}

// answered gives a reply to its command. One that nothing asked for stands for
// itself.
func answered(said []turn, due int, e *session.Entry) []turn {
	for i := due; i < len(said); i++ {
		if x := &said[i]; x.verb == e.Verb && (x.reply == nil || x.reply.Code == 334) {
			x.reply = e
			return said
		}
	}
	return append(said, turn{verb: unasked, phase: e.Phase, reply: e})
}

func turnOf(e *session.Entry) turn {
	x := turn{verb: e.Verb, text: e.Text, phase: e.Phase}
	switch {
	case e.Kind == session.KindData:
		x.text = "the message"
		x.same = x.text
	case e.Kind == session.KindAuth:
		x.verb, x.text = "AUTH", "AUTH"
		if e.Auth != nil && e.Auth.Mechanism != "" {
			x.text += " " + e.Auth.Mechanism
		}
		x.same = "AUTH" // the mechanism is compared with the user
	default:
		x.same = meaningOf(e.Verb, e.Text)
	}
	return x
}

// sized are parameters of MAIL whose values follow from the message, and an
// octet count of BDAT.
var sized = regexp.MustCompile(`(?i) (?:size|envid)=\S*`)

// meaningOf is a command less what differs each time. The addresses of an
// envelope have a meaning; a size is compared with the message.
func meaningOf(verb, text string) string {
	text = strings.TrimSpace(text)
	_, arguments, _ := strings.Cut(text, " ")
	switch verb {
	case "MAIL", "RCPT":
		return verb + " " + strings.ToLower(sized.ReplaceAllString(arguments, ""))
	case "BDAT":
		if strings.HasSuffix(strings.ToUpper(arguments), " LAST") {
			return verb + " LAST"
		}
		return verb
	}
	return verb + " " + strings.ToLower(Normal(arguments))
}
