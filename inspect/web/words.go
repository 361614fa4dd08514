package web

import (
	"fmt"
	"html/template"
	"strings"
	"unicode"
	"unicode/utf8"

	"smtp-proxy/inspect"
)

// words are what the templates call.
func words() template.FuncMap {
	return template.FuncMap{"pieces": pieces, "cut": cut, "why": why, "link": link, "visible": visible, "lines": lines}
}

// piece is text that shows itself, or what was written out in its place.
type piece struct {
	Text   string
	Hidden bool
}

// pieces takes text apart into what can be shown and what would drive or
// mislead whoever reads it: control characters of both sets, octets that are
// not UTF-8, characters that reorder or take no space.
func pieces(text string) []piece {
	return apart(text, func(string) int { return 0 })
}

// lines is pieces of a text of several lines, which stay lines: CRLF, LF and
// tabs are as they were.
func lines(text string) []piece {
	return apart(text, func(rest string) int {
		switch {
		case rest[0] == '\n' || rest[0] == '\t':
			return 1
		case strings.HasPrefix(rest, "\r\n"):
			return 2
		}
		return 0
	})
}

// apart is pieces but for what is kept: keep says how many octets of the rest
// are shown as they are.
func apart(text string, keep func(rest string) int) []piece {
	var l pieceList
	for i := 0; i < len(text); {
		if n := keep(text[i:]); n > 0 {
			l.add(strings.TrimPrefix(text[i:i+n], "\r"), false)
			i += n
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		if invalid := r == utf8.RuneError && n == 1; invalid || hides(r) {
			l.add(spelled(text[i:i+n], r, invalid), true)
		} else {
			l.add(text[i:i+n], false)
		}
		i += n
	}
	l.flush()
	return l.all
}

// mostPieces is how many pieces a text has: there are texts in which every
// other character is hidden. Behind them all is shown alike.
const mostPieces = 4000

// pieceList puts together what shows alike.
type pieceList struct {
	all    []piece
	text   strings.Builder
	hidden bool
}

func (l *pieceList) add(text string, hidden bool) {
	if hidden = hidden && len(l.all) < mostPieces; hidden != l.hidden {
		l.flush()
	}
	l.hidden = hidden
	l.text.WriteString(text)
}

func (l *pieceList) flush() {
	if l.text.Len() > 0 {
		l.all = append(l.all, piece{l.text.String(), l.hidden})
		l.text.Reset()
	}
}

// visible is pieces as one text, for places that hold no markup.
func visible(text string) string {
	var b strings.Builder
	for _, p := range pieces(text) {
		b.WriteString(p.Text)
	}
	return b.String()
}

func hides(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co) || r != ' ' && unicode.Is(unicode.Zs, r)
}

func spelled(octet string, r rune, invalid bool) string {
	switch {
	case invalid:
		return fmt.Sprintf(`\x%02x`, octet[0])
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < 0x100:
		return fmt.Sprintf(`\x%02x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// Lengths of a text in characters: longer ones are folded to their beginning.
const (
	mostShown = 400
	headShown = 160
)

// folded is a text and, when it is long, its beginning.
type folded struct {
	Whole, Head string
	Size        string
}

func cut(text string) folded { return shortened(text, mostShown, headShown) }

// why is cut for an explanation, which is longer than what a peer says in a
// line and the first thing to be read.
func why(text string) folded { return shortened(text, 3*mostShown, mostShown) }

func shortened(text string, most, head int) folded {
	f := folded{Whole: text}
	n := utf8.RuneCountInString(text)
	if n <= most {
		return f
	}
	at := 0
	for range head {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	f.Head, f.Size = text[:at], inspect.Count(n, "character")
	return f
}

// link returns an address that may be followed from a report, or nothing. The
// schemes are those of references; whatever else a text names stays text.
func link(ref string) string {
	if (strings.HasPrefix(ref, "https://") || strings.HasPrefix(ref, "http://")) && visible(ref) == ref && !strings.ContainsAny(ref, " \"<>\\^`{|}") {
		return ref
	}
	return ""
}
