package replay

import (
	"fmt"
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// How this works.
//
// The record is read as the app lived it: its own lines in their order, and
// between them the replies that reached it. Replies come in the order of the
// commands, so each goes to the oldest that is still due. What was said while
// replies were due was said without waiting for them; awaited notes the last
// that was in. The proxy's own dialogue with the upstream was not heard by the
// app and counts for nothing.

// listener reads a record from the app's side.
type listener struct {
	said     []spoken
	lost     []string // what the record does not hold
	oddities int

	due     []int // of said, in order
	heard   int   // the latest of said that was answered
	message int
	content int   // index of the content that is under way, -1 for none
	chunk   int   // the same of a chunk
	octets  int64 // of the message so far
	hasty   bool  // the next line did not wait
	left    bool
	over    bool

	clear *session.Entry // a 220 to STARTTLS that waits for the upstream's handshake
	hello *session.Entry // the upstream's last good EHLO reply
	edit  int            // the EHLO whose reply the notes that follow concern, -1 for none
}

// listen returns what the app said in a session.
func listen(entries []session.Entry) *listener {
	l := &listener{heard: -1, message: -1, content: -1, chunk: -1, edit: -1}
	l.add(spoken{kind: spokenNothing, phase: session.PhaseGreeting})
	l.due = append(l.due, 0)
	for i := range entries {
		if l.over {
			break
		}
		l.entry(&entries[i])
	}
	l.unclear(true)
	return l
}

func (l *listener) add(s spoken) *spoken {
	s.awaited, s.message = l.heard, l.message
	if l.hasty && len(l.said) > 0 {
		s.awaited, l.hasty = l.said[len(l.said)-1].awaited, false
	}
	l.said = append(l.said, s)
	return &l.said[len(l.said)-1]
}

// entry takes the next entry of the record.
func (l *listener) entry(e *session.Entry) {
	switch e.Kind {
	case session.KindOpen:
		if e.Leg == session.App {
			l.said[0].at = e.At
		}
	case session.KindCommand:
		if e.From == session.FromApp && !e.Own {
			l.command(e)
		}
	case session.KindAuth:
		l.auth(e)
	case session.KindData:
		l.data(e)
	case session.KindGreeting, session.KindReply:
		l.reply(e)
	case session.KindTLS:
		l.handshake(e)
	case session.KindClose:
		l.closed(e)
	case session.KindNote:
		l.note(e)
	}
}

// command takes a command line.
func (l *listener) command(e *session.Entry) {
	l.edit = -1
	if verbOf(e.Text) == "MAIL" {
		l.message++
		l.octets, l.content, l.chunk = 0, -1, -1
	}
	s := l.add(spoken{kind: spokenLine, text: e.Text, verb: verbOf(e.Text), phase: e.Phase, at: e.At, why: inexact(e)})
	l.due = append(l.due, len(l.said)-1)
	if s.verb == "BDAT" {
		l.chunk = len(l.said) - 1
	}
}

// auth takes a line of an AUTH exchange, which is one thing said with one
// reply, the last.
func (l *listener) auth(e *session.Entry) {
	l.edit = -1
	last := len(l.said) - 1
	if strings.HasPrefix(e.Text, "AUTH") || l.said[last].kind != spokenAuth {
		words := append(strings.Fields(e.Text), "", "", "")
		l.add(spoken{kind: spokenAuth, verb: "AUTH", phase: session.PhaseAuth, at: e.At, mechanism: words[1], initial: words[2] != ""})
		last++
	} else if e.Text == "*" {
		l.said[last].cancelled = true
	}
	l.due = append(l.due, last)
}

// data takes message octets that were passed on.
func (l *listener) data(e *session.Entry) {
	at := l.content
	if e.Verb == "BDAT" {
		at = l.chunk
	}
	if at >= 0 {
		s := &l.said[at]
		s.octets, s.skip, s.complete = e.Bytes, l.octets, e.Text == ""
		l.octets, l.content, l.chunk = 0, -1, -1
		return
	}
	l.octets += e.Bytes
}

// handshake takes the end of a handshake.
func (l *listener) handshake(e *session.Entry) {
	switch {
	case e.TLS != nil && e.TLS.Passthrough:
		l.tunnel()
	case e.Leg == session.Upstream:
		l.unclear(e.Fault == nil)
	case e.Phase == session.PhaseTLS:
		l.shaken(e)
	}
}

// shaken takes a handshake on the app's leg. Before anything was heard it is
// implicit TLS, and the greeting comes behind it.
func (l *listener) shaken(e *session.Entry) {
	s := spoken{kind: spokenTLS, phase: session.PhaseTLS, at: e.At, awaited: l.heard, message: -1, failed: e.Fault != nil}
	if l.heard >= 0 || len(l.said) > 1 {
		l.said = append(l.said, s)
		return
	}
	s.awaited = -1
	l.said = []spoken{s, l.said[0]}
	l.due[0] = 1
}

// tunnel ends the script where TLS was the two peers' own.
func (l *listener) tunnel() {
	l.over, l.clear = true, nil
	l.lost = append(l.lost, "everything under TLS: it was left end to end, so the record does not hold it")
	switch last := len(l.said) - 1; {
	case last == 0:
		l.said = nil
	case l.said[last].verb == "STARTTLS":
		l.said = l.said[:last]
	}
}

// closed takes the end of a leg.
func (l *listener) closed(e *session.Entry) {
	if e.Leg == session.App && !l.left {
		l.add(spoken{kind: spokenEnd, at: e.At})
		l.left = true
	}
}

// stop ends the script: what follows in the record is not what the app said.
func (l *listener) stop(why string) {
	l.over = true
	l.lost = append(l.lost, "what followed: "+why)
}

// note takes what the proxy found unusual, or changed.
func (l *listener) note(e *session.Entry) {
	switch e.Odd {
	case session.OddPipelining, session.OddEarlyTalk:
		l.hasty = true
	case session.OddGap:
		l.stop(fmt.Sprintf("the record lacks %d entries here", e.Bytes))
	case session.OddOpaque:
		l.stop("from here the bytes of both sides passed unread")
	case session.OddLongLine:
		if e.Leg == session.App {
			l.add(spoken{kind: spokenLine, phase: e.Phase, at: e.At, why: e.Text + ", which the record does not hold"})
			l.due = append(l.due, len(l.said)-1)
		}
	case session.OddInjection:
		if e.Leg == session.App {
			l.lost = append(l.lost, e.Text)
		}
	case session.OddInvalidReply:
		l.oddities++
	}
	if e.Edit && e.Leg == session.App {
		l.edited(e.Text)
	}
}

// inexact says why a command's line is not what the app sent, if it is not.
func inexact(e *session.Entry) string {
	switch {
	case strings.Contains(e.Text, "***"):
		return "the record holds it redacted"
	case strings.Contains(e.Text, "\r\n"):
		return "the record holds two lines as one"
	case e.Bytes != 0 && e.Bytes != int64(len(e.Text)+len("\r\n")):
		return "the record does not hold it whole"
	case len(e.Text) > maxCommand:
		return fmt.Sprintf("it is longer than %d octets", maxCommand)
	}
	return ""
}

// maxCommand bounds a command of a record that somebody else may have written;
// the relay takes no longer ones.
const maxCommand = 16 << 10

// wire.Reply has no place for a reply that never was: the app's view of one is
// an entry.
func replyOf(e session.Entry, text string) *session.Entry {
	e.Text = text
	if r, ok := wire.ParseReply(text); ok {
		e.Code, e.Enhanced = r.Code, r.Enhanced
	}
	return &e
}
