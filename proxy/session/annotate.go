package session

import (
	"bytes"
	"strings"
	"time"

	"smtp-proxy/proxy/wire"
)

// annotates reports whether a reply is one that has its cause added.
func (m *Machine) annotates(code int) bool {
	return m.cfg.Annotate && code >= 400 && !m.opaque && m.tunnel == nil && !m.deaf && !m.over
}

// explain asks for the annotation of the reply whose last line waits.
func (m *Machine) explain() {
	if m.tail == nil || m.over {
		return
	}
	m.explaining, m.partial = true, true
	m.do(OpExplain, App)
}

// passWhole hands on a reply that was withheld until it was complete; it is
// empty when its lines have gone out already.
func (m *Machine) passWhole(code int, raw []byte) {
	if len(raw) == 0 {
		return
	}
	if !m.annotates(code) {
		m.write(App, raw, false)
		return
	}
	last := bytes.LastIndexByte(bytes.TrimRight(raw, "\r\n"), '\n') + 1
	m.write(App, raw[:last], false)
	m.tail = append([]byte(nil), raw[last:]...)
	m.explain()
}

// Annotated ends the wait that an [OpExplain] began. note is added to the reply
// as one more line; when it is empty the reply goes out as it was.
func (m *Machine) Annotated(now time.Time, note string) []Effect {
	m.begin(now)
	if !m.explaining {
		return nil
	}
	tail := m.tail
	m.tail, m.explaining, m.partial = nil, false, false
	if note = oneLine(m.mask(note)); note != "" {
		tail = withLine(tail, note)
		m.edit(App, "added a line to the reply: "+note)
	}
	m.write(App, tail, false)
	if m.dying {
		m.end()
		return m.effects
	}
	m.answerLocals()
	m.receive(&m.up, nil, m.readUpstream)
	m.settle()
	return m.effects
}

// withLine makes the last line of a reply the last but one, and adds another
// with the same codes behind it (RFC 5321, section 4.2.1).
func withLine(tail []byte, note string) []byte {
	code, _, text, _ := wire.ReplyLine(tail)
	out := append([]byte(nil), tail[:3]...)
	out = append(out, '-')
	if len(tail) > 4 && tail[3] != '\r' && tail[3] != '\n' {
		out = append(out, tail[4:]...)
	} else {
		out = append(out, "\r\n"...)
	}
	head := string(tail[:3])
	if e := wire.Enhanced(code, text); e != "" {
		head += " " + e
	}
	return append(out, strings.Join([]string{head, note}, " ")+"\r\n"...)
}
