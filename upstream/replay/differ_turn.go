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
func turnsOf(entries []session.Entry) []turn {
	d := dialogue{due: map[string][]int{}}
	for i := range entries {
		e := &entries[i]
		switch {
		case e.Kind == session.KindReply && !e.Own:
			d.answer(e)
		case e.From != session.FromApp || e.Own:
		case e.Kind == session.KindCommand, e.Kind == session.KindAuth && d.signsIn(), e.Kind == session.KindData && e.Verb == ".":
			x := turnOf(e)
			d.due[x.verb] = append(d.due[x.verb], len(d.said))
			d.said = append(d.said, x)
		}
	}
	return d.said
}

// dialogue is a session as far as it was read.
type dialogue struct {
	said []turn
	due  map[string][]int // by verb: those of said that have no reply, in order
}

// signsIn reports whether a line of AUTH is the first of its exchange.
func (d *dialogue) signsIn() bool {
	if len(d.said) == 0 {
		return true
	}
	last := d.said[len(d.said)-1]
	return last.verb != "AUTH" || last.reply != nil && last.reply.Code != 334
}

// answer gives a reply to its command. One that nothing asked for stands for
// itself.
func (d *dialogue) answer(e *session.Entry) {
	due := d.due[e.Verb]
	if len(due) == 0 {
		d.said = append(d.said, turn{verb: unasked, phase: e.Phase, reply: e})
		return
	}
	d.said[due[0]].reply = e
	if e.Code != 334 {
		d.due[e.Verb] = due[1:]
	}
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

// sized are parameters of MAIL whose values follow from the message.
var sized = regexp.MustCompile(`(?i) (?:size|envid)=\S*`)

// envelope is the address of MAIL and RCPT and what stands behind it.
var envelope = regexp.MustCompile(`(?i)^(?:from|to):\s*(<[^>]*>|\S*)(.*)$`)

// meaningOf is a command less what differs each time. The addresses of an
// envelope have a meaning; a size is compared with the message.
func meaningOf(verb, text string) string {
	_, arguments, _ := strings.Cut(strings.TrimSpace(text), " ")
	switch verb {
	case "MAIL", "RCPT":
		if parts := envelope.FindStringSubmatch(strings.TrimSpace(arguments)); parts != nil {
			return verb + " " + parts[1] + strings.ToLower(sized.ReplaceAllString(parts[2], ""))
		}
	case "BDAT":
		if strings.HasSuffix(strings.ToUpper(arguments), " LAST") {
			return "BDAT LAST"
		}
		return "BDAT"
	}
	return verb + " " + strings.ToLower(Normal(arguments))
}
