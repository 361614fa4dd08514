package main

import (
	"bytes"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy"
)

// conclusion writes the diagnosis of what failed, the verdict, and what to do
// next.
func (v comparison) conclusion(b *bytes.Buffer, s *played) {
	b.WriteByte('\n')
	if list := s.findings(); len(list) > 0 {
		v.findings(b, list[:1], "")
		b.WriteByte('\n')
	}
	as := boldRed
	if s.identical() {
		as = green
	}
	b.WriteString(v.paint(as, visible(oneLine(s.verdict()))) + "\n")
	for _, text := range s.next(v.flags) {
		b.WriteString("  " + visible(text) + "\n")
	}
}

// next lists what its owner may want to do now, as commands.
func (s *played) next(flags string) (list []string) {
	if s.kept {
		list = append(list, "smtp-proxy show "+s.now.ID+flags+"  has all of it, on both legs")
	}
	if !s.options.Deliver && len(s.options.To) == 0 && hasMessage(s.recorded) {
		list = append(list, "smtp-proxy replay "+s.again+flags+" --to you@example.com  sends the message to you")
	}
	return list
}

// hasMessage reports whether there is a message that could be delivered.
func hasMessage(s *inspect.Session) bool {
	for _, m := range s.Messages {
		if m.Captured == string(proxy.CaptureFull) {
			return true
		}
	}
	return false
}
