package replay

import (
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// reply takes a reply, if the app got it.
func (l *listener) reply(e *session.Entry) {
	hello := l.edit
	l.edit = -1
	switch {
	case e.Own:
		return
	case hello >= 0 && len(l.due) == 0 && e.From == session.FromProxy && e.Verb == l.said[hello].verb:
		l.said[hello].reply = e // the smarthost's was kept back, and this came in its place
		return
	case e.Leg == session.Upstream && e.Verb == "STARTTLS" && e.Code == 220:
		l.unclear(true)
		l.clear = e // it goes on to the app when the upstream's handshake has gone well
		return
	case e.Leg == session.App && e.From == session.FromProxy && l.clear != nil:
		l.clear = nil // something else came in its place
	}
	l.unclear(true)
	l.got(e)
}

// unclear decides about the 220 that was kept back.
func (l *listener) unclear(came bool) {
	e := l.clear
	l.clear = nil
	if e != nil && came {
		l.got(e)
	}
}

// got gives a reply to the oldest command that waits for one.
func (l *listener) got(e *session.Entry) {
	if len(l.due) == 0 {
		l.unasked(e)
		return
	}
	at := l.due[0]
	l.due = l.due[1:]
	l.heard = max(l.heard, at)
	s := &l.said[at]
	s.reply, s.unheard = e, l.left && e.Leg == session.Upstream
	switch {
	case s.kind == spokenLine && s.verb == "DATA" && e.Code/100 == 3:
		l.add(spoken{kind: spokenContent, verb: ".", phase: session.PhaseDot, at: e.At}).awaited = at
		l.content = len(l.said) - 1
		l.due = append([]int{l.content}, l.due...)
	case s.verb == "EHLO" && e.Leg == session.Upstream:
		l.edit = at
		if e.Code/100 == 2 {
			l.hello = e
		}
	}
}

// unasked takes a reply to no command. What the proxy said of its own accord is
// not the smarthost's, and need not come again.
func (l *listener) unasked(e *session.Entry) {
	if l.left || e.From == session.FromProxy {
		return
	}
	l.add(spoken{kind: spokenNothing, phase: e.Phase, at: e.At, reply: e})
	l.heard = len(l.said) - 1
}

// edited changes the reply to EHLO as the proxy did on its way to the app.
func (l *listener) edited(note string) {
	if l.edit < 0 {
		return
	}
	s := &l.said[l.edit]
	change := wire.EHLOEdit{}
	what, _, _ := strings.Cut(note, " from the EHLO reply")
	switch {
	case strings.HasPrefix(note, "the upstream refused a second EHLO") && l.hello != nil:
		again := *l.hello
		s.reply = &again
		return
	case strings.HasPrefix(note, "added STARTTLS"):
		change.Add = "STARTTLS"
	case what == "removed STARTTLS":
		change.Remove = "STARTTLS"
	case strings.HasPrefix(what, "removed AUTH mechanism"):
		change.Unbindable = true
	default:
		return
	}
	raw := strings.ReplaceAll(s.reply.Text, "\n", "\r\n") + "\r\n"
	out, _ := wire.EditEHLO([]byte(raw), change)
	s.reply = replyOf(*s.reply, strings.ReplaceAll(strings.TrimRight(string(out), "\r\n"), "\r\n", "\n"))
}
