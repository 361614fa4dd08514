package replay

import (
	"regexp"
	"strings"
)

// opaque is a run of characters of which ids are made.
var opaque = regexp.MustCompile(`[A-Za-z0-9_+/=.-]*[A-Za-z0-9]=*`)

// named is what stands before an id in words. The id is what comes then,
// whatever it looks like.
var named = regexp.MustCompile(`(?i)\b(queued as|queued for delivery as|queue[ -]?id|message[ -]?id|mail[ -]?id|session[ -]?id|transaction[ -]?id|request[ -]?id|id|session|ticket|incident|correlation(?: id)?|reference(?: (?:id|number|code))?|ref)([:=# ]+["'<\[(]?)([A-Za-z0-9_+/=.-]*[0-9][A-Za-z0-9_+/=.-]*[A-Za-z0-9=])`)

// counted are numbers that say how much has been done, not how much may be.
var counted = regexp.MustCompile(`(?i)\b(in |took |after |delay=|\()[0-9]+\.[0-9]+ ?(s|sec|secs|seconds|ms)\b`)

func unvaryWords(text string) string {
	text = named.ReplaceAllString(text, "$1$2"+anID)
	text = counted.ReplaceAllString(text, "$1"+aCount+" $2")
	return opaque.ReplaceAllStringFunc(text, func(word string) string {
		if isID(word) {
			return anID
		}
		return word
	})
}

// isID reports whether a word looks as if a machine had drawn it.
func isID(word string) bool {
	if exim.MatchString(word) || allDigits(word) && len(word) >= 10 {
		return true
	}
	for _, part := range strings.FieldsFunc(word, func(r rune) bool { return strings.ContainsRune("_+/=.-", r) }) {
		if drawn(part) {
			return true
		}
	}
	return false
}

// exim is an id of Exim, of both generations: 1rABCd-0001Ab-2C and
// 1rABCd-000000001Ab-2CdE.
var exim = regexp.MustCompile(`^[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}$`)

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// drawn reports whether a word without separators is an id: digits among
// letters, not only behind them as in SHA256, IPv6 or the S3140 of a refusal.
func drawn(word string) bool {
	changes, digits := 0, 0
	for i := range len(word) {
		digit := isDigit(word[i])
		if digit {
			digits++
		}
		if i > 0 && digit != isDigit(word[i-1]) {
			changes++
		}
	}
	switch {
	case digits == 0 || digits == len(word):
		return false
	case changes >= 2:
		return len(word) >= 6
	}
	return len(word) >= 10
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
