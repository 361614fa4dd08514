package replay

import (
	"fmt"
	"strings"
	"time"

	"smtp-proxy/proxy/wire"
)

// find returns the answer to a moment, and reports where it is not what the
// recordings show.
func (t *talk) find(q moment) *answer {
	x, same := t.stage.model.find(q)
	if x == nil {
		return t.made(q)
	}
	t.compareStanding(x, q)
	if !same {
		a := x.final()
		if !t.follows(q) {
			t.deviate(name(q) + " was not recorded: " + a.said() + " as most others")
		}
		return a.about(x.arg, q.arg)
	}
	if first, delay := t.stage.model.greylisted(x); first != nil && !t.stage.waited(x, t.paced(delay, 0)) {
		return first
	}
	n := t.said[x]
	t.said[x]++
	return x.nth(n)
}

// follows reports whether a moment is strange only because of a recipient that
// was reported already.
func (t *talk) follows(q moment) bool {
	t.strayed = t.strayed || q.verb == "RCPT"
	return t.strayed && (q.verb == "." || q.verb == "BDAT")
}

// said names an answer.
func (a *answer) said() string {
	if a.code == 0 {
		return "left without a reply"
	}
	return fmt.Sprintf("answered %d", a.code)
}

// waited reports whether a greylist saw a moment as long ago as that. It is the
// same for all sessions.
func (s *Stage) waited(x *exchange, delay time.Duration) bool {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	q := moment{verb: x.verb, arg: x.arg}
	first, known := s.put[q]
	if !known {
		s.put[q] = now
		return false
	}
	return now.Sub(first) >= delay
}

// compareStanding reports what should have gone before a sender or a secret.
func (t *talk) compareStanding(x *exchange, q moment) {
	if q.verb != "MAIL" && q.verb != "AUTH" {
		return
	}
	switch {
	case x.secure && !q.secure && !t.stage.model.clear:
		t.deviate(q.verb + " came in clear; the recording has it under TLS")
	case !x.secure && q.secure:
		t.deviate(q.verb + " came under TLS; the recording has it in clear")
	}
	switch {
	case x.authed && !q.authed:
		t.deviate(q.verb + " came without AUTH; the recording has it behind AUTH")
	case !x.authed && q.authed:
		t.deviate(q.verb + " came behind AUTH; the recording has it without")
	}
}

// about returns an answer that names somebody else.
func (a *answer) about(was, is string) *answer {
	if was == "" || is == "" {
		return a
	}
	other := *a
	other.acts = make([]act, len(a.acts))
	for i, act := range a.acts {
		if strings.Count(act.text, was)*len(is) <= maxReply {
			act.text = strings.ReplaceAll(act.text, was, is)
		}
		other.acts[i] = act
	}
	return &other
}

// name says which command a moment is.
func name(q moment) string {
	switch q.verb {
	case "MAIL":
		return "MAIL FROM:<" + q.arg + ">"
	case "RCPT":
		return "RCPT TO:<" + q.arg + ">"
	case "?":
		return "a command that is none of SMTP's"
	case ".":
		return fmt.Sprintf("a message to %s", q.arg)
	case "BDAT":
		return "this BDAT"
	}
	return q.verb
}

// made returns an answer to something that no recording shows at that place.
func (t *talk) made(q moment) *answer {
	reply := misplaced(q.order)
	if reply == "" {
		reply = t.ruled(q)
	}
	if q.verb != "QUIT" {
		t.deviate(fmt.Sprintf("%s was not recorded%s: answered %s", name(q), where(q.order), reply[:3]))
	}
	return madeUp(reply)
}

func madeUp(reply string) *answer {
	a := &answer{acts: []act{{text: reply}}}
	r, _ := wire.ParseReply(reply)
	a.code = r.Code
	if a.code == 421 {
		a.acts = append(a.acts, act{end: closes})
	}
	return a
}

func where(o order) string {
	return map[order]string{
		beforeHelo: " before EHLO", beforeMail: " before MAIL", beforeRcpt: " without an accepted RCPT", nestedMail: " within a transaction",
	}[o]
}

// misplaced is the reply to a command out of order.
func misplaced(o order) string {
	return map[order]string{
		beforeHelo: "503 5.5.1 Send EHLO first",
		beforeMail: "503 5.5.1 Need MAIL first",
		beforeRcpt: "554 5.5.1 No valid recipients",
		nestedMail: "503 5.5.1 Nested MAIL",
	}[o]
}

// ruled is the reply to a command in order, of which the recordings show none
// of its kind. What decides about mail gets no answer that could be taken for
// the smarthost's.
func (t *talk) ruled(q moment) string {
	switch q.verb {
	case "NOOP", "RSET":
		return "250 2.0.0 Ok"
	case "QUIT":
		return "221 2.0.0 Bye"
	case "VRFY":
		return "252 2.0.0 Cannot VRFY"
	case "HELO", "EHLO":
		return t.otherHello(q)
	case "STARTTLS":
		if t.at.secure {
			return "503 5.5.1 Already under TLS"
		}
		if t.stage.model.offersTLS() {
			return "454 4.7.0 smtp-proxy: the recording shows no handshake"
		}
		return "502 5.5.1 STARTTLS is not available"
	case "MAIL", "RCPT", "DATA", "BDAT", ".":
		return "421 4.3.0 smtp-proxy: the recording ends before " + subject(q.verb)
	}
	return "502 5.5.2 Command not recognized"
}

func subject(verb string) string {
	if verb == "." {
		return "a verdict on the message"
	}
	return verb
}

// otherHello answers HELO where EHLO was recorded, and the other way round.
func (t *talk) otherHello(q moment) string {
	q.verb = map[string]string{"HELO": "EHLO", "EHLO": "HELO"}[q.verb]
	x := t.stage.model.usual(q)
	if x == nil || len(x.final().acts) == 0 || x.final().acts[0].text == "" {
		return "421 4.3.0 smtp-proxy: the recording ends before EHLO"
	}
	first, _, _ := strings.Cut(x.final().acts[0].text, "\n")
	if len(first) > 3 {
		first = first[:3] + " " + first[4:]
	}
	return first
}
