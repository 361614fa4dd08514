package web

import (
	"bytes"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// writeRaw writes a dialogue with the marks that show has: -> and <- in clear,
// ~> and <~ under TLS, == for what nobody said, ** where a finding points, the
// proxy's own lines indented. Control characters are shown, not obeyed.
func writeRaw(b *bytes.Buffer, v *inspect.Session) {
	points := map[int]bool{}
	for i := range v.Findings {
		for _, e := range v.Findings[i].Evidence {
			points[e.Event] = true
		}
	}
	for i := range v.Events {
		e := &v.Events[i]
		gutter := "   "
		if points[e.Seq] {
			gutter = "** "
		}
		if e.Own {
			gutter += "    "
		}
		mark, text := rawLine(e)
		for line := range strings.SplitSeq(text, "\n") {
			b.WriteString(gutter + mark + " " + visible(line) + "\n")
		}
	}
}

// rawLine is the mark of an entry and its words.
func rawLine(e *session.Entry) (mark, text string) {
	switch e.Kind {
	case session.KindReply, session.KindGreeting, session.KindCommand, session.KindAuth:
		return direction(e), e.Text
	case session.KindData:
		return direction(e), "(" + carried(e) + ")"
	}
	text, _ = describe(e)
	if e.Edit {
		text = "edit: " + text
	}
	return "==", text
}

// direction is swaks's mark for who spoke to whom, and whether under TLS.
func direction(e *session.Entry) string {
	towards := e.From == session.FromApp || e.From == session.FromProxy && e.Leg == session.Upstream
	switch {
	case towards && e.Secure:
		return "~>"
	case towards:
		return "->"
	case e.Secure:
		return "<~"
	}
	return "<-"
}
