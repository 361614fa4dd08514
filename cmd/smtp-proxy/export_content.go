package main

import (
	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// content is what the history says of a message's text.
type content struct {
	chunked bool   // by BDAT: dots are not doubled
	broken  string // what its last entry says of an end before the end
	size    int64  // octets on the wire
}

// contentsOf finds the content of each message of a session.
func contentsOf(s *inspect.Session) map[int]content {
	all := map[int]content{}
	n := newNumbering(s)
	for i := range s.Events {
		e := &s.Events[i]
		message := n.of(e)
		if e.Kind != session.KindData {
			continue
		}
		part := all[message]
		part.chunked, part.broken = e.Verb == "BDAT", e.Text
		part.size += e.Bytes
		all[message] = part
	}
	return all
}

func (c content) incomplete(captured string) bool { return c.lack(captured) != "" }

// lack says what the record does not hold of a message, and why.
func (c content) lack(captured string) string {
	switch {
	case captured == "headers":
		return "--capture headers keeps its header section only"
	case captured == "cut":
		return "parts of it are missing from the record, as smtp-proxy show says"
	case c.broken != "":
		return "it was " + c.broken
	}
	return ""
}

// numbering tells which message an entry's content belongs to, by the rules by
// which the store numbered it.
type numbering struct{ asm *inspect.Assembler }

func newNumbering(s *inspect.Session) numbering {
	return numbering{inspect.NewAssembler(&session.Info{ID: s.ID, Started: s.Started})}
}

// of takes the entries in order.
func (n numbering) of(e *session.Entry) int {
	n.asm.Add(e)
	return n.asm.Message()
}
