package diagnose

import (
	"strings"
	"unicode/utf8"
)

// How much of the words of others a finding quotes, in characters. The
// transcript has them whole.
const (
	mostProof = 500 // as evidence: more than the longest first lines of large providers
	mostValue = 300 // inside a sentence of ours: a forward-path has 256 at most (RFC 5321, section 4.5.3.1.3)
	mostWords = 100 // of what is no mail at all
)

// clip shortens a text to a number of characters and marks the cut. What is
// left of it stands as it was, octets that are no text included.
func clip(text string, most int) string {
	n := 0
	for i := 0; i < len(text); n++ {
		if n == most {
			return text[:i] + "…"
		}
		_, size := utf8.DecodeRuneInString(text[i:])
		i += size
	}
	return text
}

// firstLine shortens a text to what a sentence of ours bears.
func firstLine(text string) string { return beginning(text, mostValue) }

// beginning shortens a text to its first line, and that to a number of
// characters.
func beginning(text string, most int) string {
	line, _, _ := strings.Cut(text, "\n")
	return clip(line, most)
}

// clipped keeps what fills a placeholder to a sentence's size.
func clipped(value func(string) string) func(string) string {
	return func(name string) string { return clip(value(name), mostValue) }
}
