package probe

import (
	"fmt"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream"
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
	secure bool // the connection is under TLS
	hailed bool // EHLO has been answered well
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
	if !l.failed {
		l.skipUpTo("")
	}
}

// see takes the next entry of the dialogue.
func (l *ladder) see(e *session.Entry) {
	switch {
	case e.Kind == session.KindOpen && e.Leg == session.Upstream:
		l.opened(e)
	case e.Kind == session.KindTLS:
		l.handshake(e)
	case e.Kind == session.KindGreeting, e.Kind == session.KindReply && e.From == session.FromUpstream:
		l.replied(e)
	case e.Kind == session.KindReply: // the proxy's own, in place of one that will not come
		l.fail(e, ownWords(e.Text))
	case e.Kind == session.KindNote && e.Leg == session.Upstream:
		l.noted(e)
	}
}

func (l *ladder) noted(e *session.Entry) {
	switch e.Odd {
	case session.OddTimeout:
		l.fail(e, e.Text)
	case session.OddInvalidReply, session.OddTLSOnPlain:
		l.fail(e, printable(e.Text))
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
func ownWords(text string) string {
	if _, words, ok := strings.Cut(text, "smtp-proxy: "); ok {
		return words
	}
	return text
}

func (l *ladder) opened(e *session.Entry) {
	text := e.Text
	if e.Dial != nil {
		text = fmt.Sprintf("%s from %s", e.Dial.Addr, e.Dial.Local)
		l.line(partConnect, StatusOK, e.Dial.Duration, text)
	}
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
	status, text := StatusOK, replyWords(e.Text)
	if !good {
		status = StatusFail
	}
	if in := l.d.app.signIn; part == partAuth && in != nil {
		text = fmt.Sprintf("%s as %s: %s", in.mechanism, l.d.app.script.User, text)
	}
	l.line(part, status, e.Wait, text)
}

// replyWords puts a reply into one line.
func replyWords(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines[1:] {
		if _, _, body, ok := wire.ReplyLine([]byte(lines[i+1])); ok {
			lines[i+1] = string(body)
		}
	}
	return printable(strings.Join(lines, " "))
}

func (l *ladder) greeted(e *session.Entry) {
	switch {
	case e.Kind != session.KindGreeting:
	case e.Code != 220:
		l.verdict(partGreeting, e, false)
	case e.Wait > slowGreeting:
		l.line(partGreeting, StatusWarn, e.Wait, fmt.Sprintf("%s, after %s: an app with a short time-out gives up before", replyWords(e.Text), spelled(e.Wait)))
	default:
		l.verdict(partGreeting, e, true)
	}
}

// offered says what a reply to EHLO has on offer.
func (l *ladder) offered(e *session.Entry, good bool) {
	if !good {
		l.verdict(partEHLO, e, false)
		return
	}
	var keywords []string
	for _, line := range strings.Split(e.Text, "\n")[1:] {
		if _, _, text, ok := wire.ReplyLine([]byte(line)); ok {
			keywords = append(keywords, strings.TrimSpace(string(text)))
		}
	}
	where := "in clear: "
	if l.secure {
		where = "under TLS: "
	}
	l.line(partEHLO, StatusOK, e.Wait, printable(where+orElse(strings.Join(keywords, ", "), "nothing beyond plain SMTP")))
	if !e.Own && !l.secure {
		l.inClear()
	}
}

// inClear says why the session stays without TLS.
func (l *ladder) inClear() {
	switch l.d.target.Mode {
	case upstream.ModeNone:
		l.line(partSTARTTLS, StatusSkip, 0, "not asked for (--upstream-tls none): all of the session is in clear")
	case upstream.ModeAuto:
		l.line(partSTARTTLS, StatusWarn, 0, "not on offer: all of the session is in clear")
	}
}
