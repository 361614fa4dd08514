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
	return template.FuncMap{"pieces": pieces, "cut": cut, "link": link, "visible": visible}
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
	var all []piece
	add := func(s string, hidden bool) {
		if n := len(all); n > 0 && all[n-1].Hidden == hidden {
			all[n-1].Text += s
			return
		}
		all = append(all, piece{s, hidden})
	}
	start := 0
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if invalid := r == utf8.RuneError && n == 1; invalid || hides(r) {
			if start < i {
				add(text[start:i], false)
			}
			add(spelled(text[i:i+n], r, invalid), true)
			start = i + n
		}
		i += n
	}
	if start < len(text) {
		add(text[start:], false)
	}
	return all
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

func cut(text string) folded {
	f := folded{Whole: text}
	n := utf8.RuneCountInString(text)
	if n <= mostShown {
		return f
	}
	at := 0
	for range headShown {
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
