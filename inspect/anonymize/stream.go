package anonymize

import (
	"math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"
)

// stream is random numbers for stand-ins.
type stream struct{ src *rand.ChaCha8 }

// n returns a number below max. The bias of the remainder is of no account:
// the alphabets are small.
func (s *stream) n(max int) int { return int(s.src.Uint64() % uint64(max)) }

// scramble replaces letter for letter: each character by one of its kind that
// takes as many octets. Everything else stays.
func (s *stream) scramble(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && n == 1 {
			b.WriteByte(s.octet(text[i]))
		} else {
			b.WriteRune(s.letter(r))
		}
		i += n
	}
	return b.String()
}

// octet replaces what is not UTF-8 by what cannot become it: none of these
// octets goes on with a character.
func (s *stream) octet(c byte) byte {
	if c < 0x80 {
		return c
	}
	return byte(0xe0 + s.n(0x18))
}

func (s *stream) letter(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z':
		return rune('a' + s.n(26))
	case r >= 'A' && r <= 'Z':
		return rune('A' + s.n(26))
	case r >= '0' && r <= '9':
		return rune('0' + s.n(10))
	case r < 0x80 || !unicode.In(r, unicode.L, unicode.M, unicode.N):
		return r
	}
	switch utf8.RuneLen(r) {
	case 2:
		if unicode.IsUpper(r) {
			return rune(0x410 + s.n(32))
		}
		return rune(0x430 + s.n(32))
	case 3:
		return rune(0x4e00 + s.n(0x5000))
	}
	return rune(0x20000 + s.n(0x8000))
}

// fold makes values equal that differ in case alone, and takes no more octets
// for it.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		if low := unicode.ToLower(r); utf8.RuneLen(low) == utf8.RuneLen(r) {
			return low
		}
		return r
	}, text)
}

// cased gives a stand-in the capitals of what it stands for.
func cased(standIn, like string) string {
	if fold(like) == like {
		return standIn
	}
	upper := []rune(like)
	i := -1
	return strings.Map(func(r rune) rune {
		if i++; i < len(upper) && unicode.IsUpper(upper[i]) && utf8.RuneLen(unicode.ToUpper(r)) == utf8.RuneLen(r) {
			return unicode.ToUpper(r)
		}
		return r
	}, standIn)
}
