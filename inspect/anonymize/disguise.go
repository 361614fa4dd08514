package anonymize

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// disguised is text that may hold another one: base64, hexadecimal, or with
// octets written as %XX.
var disguised = regexp.MustCompile(`[A-Za-z0-9._~\-+]*(?:%[0-9A-Fa-f]{2}[A-Za-z0-9._~\-+]*)+|[A-Za-z0-9+/_\-]{8,}={0,2}`)

// unwrap replaces what one word holds in another form.
func (s scan) unwrap(word string) string {
	if strings.Contains(word, "%") {
		return s.through(word, url.PathUnescape, escapeAll)
	}
	if len(word)%2 == 0 {
		if out := s.through(word, fromHex, toHex); out != word {
			return out
		}
	}
	for _, code := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if out := s.through(word, func(w string) (string, error) { b, err := code.DecodeString(w); return string(b), err },
			func(t, _ string) string { return code.EncodeToString([]byte(t)) }); out != word {
			return out
		}
	}
	return word
}

// through takes a word out of its form and puts it back when that held
// something.
func (s scan) through(word string, decode func(string) (string, error), encode func(text, like string) string) string {
	text, err := decode(word)
	if err != nil || text == word || !readable(text) {
		return word
	}
	if out := s.text(text); out != text {
		return encode(out, word)
	}
	return word
}

// readable tells text from octets that decode by chance.
func readable(text string) bool {
	for _, r := range text {
		if r == utf8.RuneError || r < ' ' && r != '\t' && r != '\r' && r != '\n' && r != 0 {
			return false
		}
	}
	return len(text) >= leastWord
}

func fromHex(word string) (string, error) { b, err := hex.DecodeString(word); return string(b), err }

func toHex(text, like string) string {
	if strings.ToUpper(like) == like {
		return strings.ToUpper(hex.EncodeToString([]byte(text)))
	}
	return hex.EncodeToString([]byte(text))
}

func escapeAll(text, _ string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
