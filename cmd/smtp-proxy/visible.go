package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible returns text with everything that could drive a terminal or hide
// something from its reader written out: control characters of both sets,
// octets that are not UTF-8, and the characters that reorder or take no
// space. A banner may hold an escape sequence; here it is a text.
func visible(text string) string {
	if plainText(text) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case hides(r):
			b.WriteString(escape(r))
		default:
			b.WriteRune(r)
		}
		text = text[n:]
	}
	return b.String()
}

// visibleLines is visible, but keeps the line ends.
func visibleLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = visible(line)
	}
	return strings.Join(lines, "\n")
}

func plainText(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// hides tells the characters that show nothing of their own: controls, format
// characters (bidirectional overrides, zero width), separators of lines.
func hides(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co) || r != ' ' && unicode.Is(unicode.Zs, r)
}

func escape(r rune) string {
	switch r {
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	}
	if r < 0x100 {
		return fmt.Sprintf(`\x%02x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}
