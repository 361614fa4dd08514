package main

import (
	"io"
	"os"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// screen is where text for people goes, and what it can show.
type screen struct {
	out   io.Writer
	width int  // columns; 0 where lines have no end, as in a file
	color bool // escape sequences of ours are understood
	live  bool // a line can be rewritten in place
	zone  *time.Location
}

// onStdout returns the screen of the program's standard output.
func (p *program) onStdout() screen { return p.screen(p.stdout) }

// screen finds out what w can show. NO_COLOR (no-color.org) wins over a
// terminal, --color over both.
func (p *program) screen(w io.Writer) screen {
	s := screen{out: w, zone: time.Local}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		s.live = true
		s.width, _, _ = term.GetSize(int(f.Fd()))
	}
	noColor, _ := p.env("NO_COLOR")
	kind, _ := p.env("TERM")
	s.color = p.color == "always" || p.color == "auto" && s.live && noColor == "" && kind != "dumb"
	return s
}

// style is an SGR parameter (ECMA-48, section 8.3.117); empty is none.
type style string

const (
	plainStyle style = ""
	bold       style = "1"
	dim        style = "2"
	red        style = "31"
	green      style = "32"
	yellow     style = "33"
	magenta    style = "35"
	cyan       style = "36"
	boldRed    style = "1;31"
)

// paint puts text into a style, where the screen has colours.
func (s screen) paint(as style, text string) string {
	if !s.color || as == plainStyle || strings.TrimLeft(text, " ") == "" {
		return text
	}
	return "\x1b[" + string(as) + "m" + text + "\x1b[0m"
}

// leastWidth is the narrowest column that text is wrapped to; below it broken
// lines are worse than long ones.
const leastWidth = 24

// wrap breaks text at blanks into lines of at most width columns. A word that
// is longer stays whole: an address or a link must survive being copied.
func wrap(text string, width int) []string {
	if width < leastWidth || columns(text) <= width {
		return []string{text}
	}
	var lines []string
	line := ""
	for i, word := range strings.Split(text, " ") {
		switch {
		case i == 0:
			line = word
		case columns(line)+1+columns(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// columns is the width of text on a terminal, near enough: combining marks
// take none, the wide East Asian blocks two.
func columns(text string) int {
	n := 0
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf:
			n++
		case unicode.In(r, unicode.Mn, unicode.Me):
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r >= 0x1f300 && r <= 0x1faff:
			n += 2
		default:
			n++
		}
	}
	return n
}

// pad fills text with blanks up to width columns.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-columns(text)))
}

// padLeft puts the blanks in front.
func padLeft(text string, width int) string {
	return strings.Repeat(" ", max(0, width-columns(text))) + text
}

// clip cuts text to at most width columns and marks the cut.
func clip(text string, width int) string {
	if columns(text) <= width {
		return text
	}
	n := 0
	for i, r := range text {
		n += columns(string(r))
		if n > width-1 {
			return text[:i] + "…"
		}
	}
	return text
}
