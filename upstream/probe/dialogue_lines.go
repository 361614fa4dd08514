package probe

import (
	"fmt"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// slowGreeting is from where on a greeting is worth a warning: apps with short
// time-outs begin to give up.
const slowGreeting = 5 * time.Second

// ladder words a dialogue for a person while it goes on.
type ladder struct {
	d      *dialogue
	say    func(Line)
	said   map[string]bool
	failed bool
	secure bool           // the connection is under TLS
	offers []string       // the latest EHLO keywords
	cut    *session.Entry // the smarthost's end, before the app had come to its own
}

func newLadder(d *dialogue, say func(Line)) *ladder {
	return &ladder{d: d, say: say, said: map[string]bool{}}
}

// line says something about a part. The parts before it that the script leaves
// out come first, each with its reason.
func (l *ladder) line(part string, status Status, took time.Duration, text string) {
	if l.failed {
		return // what follows a failure is its echo
	}
	l.skipUpTo(part)
	l.failed, l.said[part] = status == StatusFail, true
	l.say(Line{Step: part, Status: status, Took: took, Text: text})
}

func (l *ladder) skipUpTo(part string) {
	for _, p := range dialogueParts() {
		if p == part {
			return
		}
		if why := l.d.app.skips[p]; why != "" && !l.said[p] {
			l.said[p] = true
			l.say(Line{Step: p, Status: StatusSkip, Text: why})
		}
	}
}

// turn says that the port speaks otherwise than its number promises. A session
// under --upstream-tls auto would not find that out.
func (l *ladder) turn(text string) { l.line(partConnect, StatusWarn, 0, text) }

// end says what is left to say.
func (l *ladder) end() {
	switch {
	case l.failed:
	case l.cut != nil:
		l.fail(l.cut, l.cut.Text+" in the middle of a reply")
	case l.d.app.tired != "":
		l.fail(&session.Entry{Phase: l.d.phase}, l.d.target.Name+" sent "+l.d.app.tired)
	default:
		l.skipUpTo("")
	}
}

// see takes the next entry of the dialogue.
func (l *ladder) see(e *session.Entry) {
	switch {
	case e.Kind == session.KindOpen && e.Dial != nil:
		l.line(partConnect, StatusOK, e.Dial.Duration, fmt.Sprintf("%s from %s", e.Dial.Addr, e.Dial.Local))
	case e.Kind == session.KindTLS:
		l.handshake(e)
	case e.Kind == session.KindGreeting, e.Kind == session.KindReply && e.From == session.FromUpstream:
		l.replied(e)
	case e.Kind == session.KindReply: // the proxy's own, in place of one that will not come
		l.fail(e, l.ownWords(e.Text))
	case e.Leg != session.Upstream:
	case e.Kind == session.KindClose && !l.d.app.left:
		l.cut = e
	case e.Kind == session.KindNote:
		l.noted(e)
	}
}

func (l *ladder) noted(e *session.Entry) {
	switch e.Odd {
	case session.OddTimeout:
		l.fail(e, e.Text)
	case session.OddNotOffered:
		l.line(partSTARTTLS, StatusFail, 0, "not on offer, and the settings demand it (--upstream-tls starttls): nothing was sent in clear")
	case session.OddInvalidReply, session.OddTLSOnPlain, session.OddUnsolicited, session.OddLongLine:
		l.fail(e, inLine(oneLine(e.Text)))
	}
}

// fail says that the part which an entry belongs to has failed.
func (l *ladder) fail(e *session.Entry, text string) {
	part, ok := map[session.Phase]string{
		session.PhaseConnect: partConnect, session.PhaseGreeting: partGreeting, session.PhaseHelo: partEHLO,
		session.PhaseTLS: partSTARTTLS, session.PhaseAuth: partAuth, session.PhaseMail: partMail,
		session.PhaseRcpt: partRcpt, session.PhaseData: partDelivery, session.PhaseDot: partDelivery,
	}[e.Phase]
	if ok {
		l.line(part, StatusFail, e.Wait, text)
	}
}

// ownWords is a reply of the proxy's without what only an app has use for.
func (l *ladder) ownWords(text string) string {
	if _, words, ok := strings.Cut(text, "smtp-proxy: "); ok {
		text = words
	}
	if l.cut != nil && l.cut.Fault != nil && l.cut.Fault.Class == session.FaultReset {
		text = strings.Replace(text, " closed the connection", " reset the connection", 1)
	}
	return text
}

// replied says what a reply means for its part.
func (l *ladder) replied(e *session.Entry) {
	good := e.Code/100 == 2
	switch e.Verb {
	case "":
		l.greeted(e)
	case "EHLO", "HELO":
		l.offered(e, good)
	case "STARTTLS":
		l.verdict(partSTARTTLS, e, e.Code == 220)
	case "AUTH":
		if e.Code != 334 {
			l.verdict(partAuth, e, e.Code == 235)
		}
	case "MAIL":
		l.verdict(partMail, e, good)
	case "RCPT":
		l.verdict(partRcpt, e, good)
	case "DATA":
		if e.Code != 354 {
			l.verdict(partDelivery, e, false)
		}
	case ".":
		l.verdict(partDelivery, e, good)
	}
}

// verdict says what the smarthost said to a part.
func (l *ladder) verdict(part string, e *session.Entry, good bool) {
	status, text := StatusOK, oneLine(e.Text)
	if !good {
		status = StatusFail
	}
	if in := l.d.app.signIn; part == partAuth && in != nil {
		text = fmt.Sprintf("%s as %s: %s", in.mechanism, l.d.app.script.User, text)
	}
	l.line(part, status, e.Wait, inLine(text))
}

// oneLine joins the lines of a reply, whose codes are told once.
func oneLine(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines[1:] {
		if _, _, body, ok := wire.ReplyLine([]byte(lines[i+1])); ok {
			lines[i+1] = strings.TrimSpace(string(body))
		}
	}
	return strings.Join(lines, " ")
}

// inLine is a smarthost's text as it may stand in a line: a list of keywords is
// the longest that is of use whole.
func inLine(text string) string {
	const most = 500
	return legible(cut(text, most))
}

// greeted judges the first reply; a later one to no command is told by a note.
func (l *ladder) greeted(e *session.Entry) {
	slow := fmt.Sprintf("%s, after %s: an app with a short time-out gives up before", oneLine(e.Text), rounded(e.Wait))
	switch {
	case e.Kind != session.KindGreeting:
	case e.Code == 220 && e.Wait > slowGreeting:
		l.line(partGreeting, StatusWarn, e.Wait, inLine(slow))
	default:
		l.verdict(partGreeting, e, e.Code == 220)
	}
}
