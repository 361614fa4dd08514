package store

import (
	"bytes"
	"strings"

	"smtp-proxy/inspect"
)

// literals are texts that the summary of each session has in it, as it is
// written, that a filter selects. To look for them costs a tenth of reading the
// summary.
type literals [][]byte

// shortestLiteral is the least that is worth looking for.
const shortestLiteral = 2

func literalsOf(f inspect.Filter) (list literals) {
	for _, t := range f.Terms() {
		switch t.Key {
		case "", "subject", "app":
			if text := literalOf(t.Value); !t.Not && len(text) >= shortestLiteral {
				list = append(list, []byte(text))
			}
		}
	}
	return list
}

// literalOf returns the longest part of a pattern that JSON writes as it is.
func literalOf(pattern string) (longest string) {
	special := func(r rune) bool {
		return r < ' ' || r > '~' || strings.ContainsRune(`*"\<>&/'`, r)
	}
	for _, part := range strings.FieldsFunc(pattern, special) {
		if len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}

// in reports whether a summary may have all of them. One that is not ASCII may:
// there are letters beyond whose lower case is in it.
func (l literals) in(p *summaryPiece) bool {
	if len(l) == 0 {
		return true
	}
	if p.folded == nil {
		p.folded, p.wide = lowered(textOf(p.data))
	}
	if p.wide {
		return true
	}
	for _, text := range l {
		if !bytes.Contains(p.folded, text) {
			return false
		}
	}
	return true
}

// textOf returns the JSON of a summary, which stands behind its times and its
// handshakes.
func textOf(summary []byte) []byte {
	in := coder{b: summary}
	in.int()
	in.int()
	in.bytes()
	in.bytes()
	return in.b
}

// lowered returns a text in lower case, or says that it is not ASCII.
func lowered(text []byte) (folded []byte, wide bool) {
	folded = make([]byte, len(text))
	for i, c := range text {
		if c >= 0x80 {
			return nil, true
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		folded[i] = c
	}
	return folded, false
}
