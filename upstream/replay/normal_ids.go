package replay

import (
	"regexp"
	"strings"
)

// opaque is a run of the characters of which ids are made.
var opaque = regexp.MustCompile(`[A-Za-z0-9_+/.-]*[A-Za-z0-9](?:==?)?`)

// linkPart is what stands between two separators of a link.
var linkPart = regexp.MustCompile(`[A-Za-z0-9_+.-]*[A-Za-z0-9]`)

// unvaryWords replaces what looks as if a machine had drawn it, in a text
// whose words are parted by one blank each.
func unvaryWords(text string) string {
	words := strings.Split(text, " ")
	for i, word := range words {
		pattern := opaque
		if isLink(word) {
			pattern = linkPart
		}
		words[i] = pattern.ReplaceAllStringFunc(word, func(run string) string {
			if isID(run) && !(allDigits(run) && measures(words, i)) {
				return anID
			}
			return run
		})
	}
	return strings.Join(words, " ")
}

func isLink(word string) bool {
	return strings.Contains(word, "://") || strings.Contains(word, "www.")
}

// units are the words beside a number that is no id however long it is.
var units = regexp.MustCompile(`(?i)^\W*(?:size|limit|maximum|max|quota|exceeds|than|of|bytes?|octets?|seconds?)\W*$`)

func measures(words []string, i int) bool {
	return i > 0 && units.MatchString(words[i-1]) || i+1 < len(words) && units.MatchString(words[i+1])
}

// exim is an id of Exim, of both generations: 1rABCd-0001Ab-2C and
// 1rABCd-000000001Ab-2CdE.
var exim = regexp.MustCompile(`^[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}$`)

// isID reports whether a run has a part that was drawn.
func isID(run string) bool {
	if exim.MatchString(run) && strings.ContainsAny(run, "0123456789") {
		return true
	}
	for _, part := range strings.FieldsFunc(run, func(r rune) bool { return strings.ContainsRune("_+/=.-", r) }) {
		if drawn(part) {
			return true
		}
	}
	return false
}

func allDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// drawn reports whether a word is an id: digits among its letters, not only
// behind them as in SHA256, IPv6 or the S3140 of a refusal.
func drawn(word string) bool {
	if allDigits(word) {
		return len(word) >= 10
	}
	switch changes := digitChanges(word); {
	case changes >= 2:
		return len(word) >= 6
	case changes == 1:
		return len(word) >= 8 && strings.Trim(strings.ToLower(word), "0123456789abcdef") == "" ||
			len(word) >= 16 && strings.ToLower(word) != word && strings.ToUpper(word) != word
	}
	return false
}

// digitChanges counts the places where digits begin or end within a word.
func digitChanges(word string) (n int) {
	for i := 1; i < len(word); i++ {
		if isDigit(word[i]) != isDigit(word[i-1]) {
			n++
		}
	}
	return n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
