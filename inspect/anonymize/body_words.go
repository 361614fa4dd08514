package anonymize

import (
	"encoding/base64"
	"regexp"
	"strings"
	"unicode/utf8"
)

// element is the beginning of a tag of HTML.
var element = regexp.MustCompile(`(?i)</?(?:a|b|i|u|p|br|hr|em|li|ol|ul|td|th|tr|h[1-6]|div|img|pre|html|head|body|meta|span|font|link|code|table|tbody|thead|title|style|strong|center|blockquote|!doctype html)\b`)

func validText(text string) bool { return utf8.ValidString(text) }

// invalid replaces the octets that are not UTF-8.
func invalid(text string, s *stream) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && n == 1 {
			b.WriteByte(s.octet(text[i]))
		} else {
			b.WriteString(text[i : i+n])
		}
		i += n
	}
	return b.String()
}

// base64 replaces a line of a part in that encoding. Text is taken out of it
// line by line; of all else the letters are replaced.
func (p *parser) base64(line string) string {
	text := strings.TrimRight(line, " \t\r\n")
	end := line[len(text):]
	if strings.HasPrefix(p.part.kind, "text/") || p.part.kind == "" {
		if raw, err := base64.StdEncoding.DecodeString(text); err == nil && len(text) == base64.StdEncoding.EncodedLen(len(raw)) {
			if out := p.plain(string(raw)); len(out) == len(raw) {
				return base64.StdEncoding.EncodeToString([]byte(out)) + end
			}
		}
	}
	return p.noise64(text) + end
}

const alphabet64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// noise64 replaces letters of base64. The last one in front of = has bits that
// must be nought (RFC 4648, section 3.5).
func (p *parser) noise64(text string) string {
	out := []byte(text)
	padding := strings.Count(text, "=")
	for i, c := range out {
		if strings.IndexByte(alphabet64, c) < 0 {
			continue
		}
		n := p.noise.n(64)
		if padding > 0 && i+1 < len(out) && out[i+1] == '=' {
			n &^= 1<<(2*min(padding, 2)) - 1
		}
		out[i] = alphabet64[n]
	}
	return string(out)
}

// quoted replaces text in which octets are written as a sign with two
// hexadecimal digits (RFC 2045, section 6.7). Each octet stays written as it was.
func quoted(text string, sign byte, replace func(string) string) string {
	raw, wide := unquoted(text, sign)
	out := replace(string(raw))
	if len(out) != len(raw) {
		return replace(text)
	}
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(out) {
		if wide[i] {
			b.Write([]byte{sign, digits[out[i]>>4], digits[out[i]&15]})
		} else {
			b.WriteByte(out[i])
		}
	}
	return b.String()
}

// unquoted tells of each octet whether it was written with a sign.
func unquoted(text string, sign byte) (raw []byte, wide []bool) {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == sign && i+2 < len(text) && unhex(text[i+1]) >= 0 && unhex(text[i+2]) >= 0 {
			raw, wide = append(raw, byte(unhex(text[i+1])<<4|unhex(text[i+2]))), append(wide, true)
			i += 2
			continue
		}
		raw, wide = append(raw, c), append(wide, false)
	}
	return raw, wide
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}
