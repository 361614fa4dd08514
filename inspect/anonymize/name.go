package anonymize

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// word returns the stand-in of one word: of the same letters and length.
func (a *Anonymizer) word(word string) string {
	low := fold(word)
	return cased(a.unique("word", low, func(s *stream) string { return s.scramble(low) }), word)
}

// name replaces each word of a name and leaves what joins them: zoe.quimby and
// Zoe Quimby stay alike.
func (a *Anonymizer) name(text string) string {
	var b strings.Builder
	for part := range parts(text) {
		if isWord(part) {
			part = a.word(part)
		}
		b.WriteString(part)
	}
	return b.String()
}

// learn remembers the words of somebody's name, to find them where they stand
// alone. What replies are made of stays: a mailbox called spam must not take
// the word from all others.
func (a *Anonymizer) learn(text string) {
	for part := range parts(text) {
		if low := fold(part); isWord(part) && telling(low) && !a.common[low] && len(a.words) < mostTaken {
			a.words[low] = true
		}
	}
}

// telling reports a word that is worth looking for. A short number is one of
// many: a code, a port, a size.
func telling(word string) bool {
	n := utf8.RuneCountInString(word)
	return n >= leastNumber || n >= leastWord && hasLetter(word)
}

// leastNumber is the shortest number that may be somebody's.
const leastNumber = 6

// leastWord is the shortest part of a name that is looked for on its own.
const leastWord = 3

// learnPhrase remembers a subject, to find it where it is repeated whole.
func (a *Anonymizer) learnPhrase(text string) {
	low := fold(strings.TrimSpace(text))
	for part := range parts(low) {
		if !isWord(part) {
			continue
		}
		if like := a.phrases[part]; len(low) >= 2*leastWord && len(a.phrases) < mostPhrases && len(like) < mostAlike && !slices.Contains(like, low) {
			a.phrases[part] = append(like, low)
		}
		return
	}
}

// mostPhrases bounds the first words of subjects, mostAlike the subjects that
// begin with the same one.
const (
	mostPhrases = 10_000
	mostAlike   = 32
)

// phraseAt returns the length of the subject that text begins with.
func (a *Anonymizer) phraseAt(first, text string) int {
	longest := 0
	for _, p := range a.phrases[fold(first)] {
		if len(p) > longest && len(text) >= len(p) && fold(text[:len(p)]) == p {
			longest = len(p)
		}
	}
	return longest
}

// parts splits text into words and what is between them. The sign for an
// encoded octet, as in zoe+2Btag (RFC 3461, section 4), is no word.
func parts(text string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for len(text) > 0 {
			n := partEnd(text)
			if !yield(text[:n]) {
				return
			}
			text = text[n:]
		}
	}
}

func partEnd(text string) int {
	if escaped(text) {
		return 3
	}
	first, n := utf8.DecodeRuneInString(text)
	in := wordRune(first)
	for n < len(text) {
		r, size := utf8.DecodeRuneInString(text[n:])
		if wordRune(r) != in || escaped(text[n:]) {
			break
		}
		n += size
	}
	return n
}

func escaped(text string) bool {
	return len(text) >= 3 && text[0] == '+' && isHex(text[1]) && isHex(text[2])
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'F' }

func wordRune(r rune) bool {
	return r != utf8.RuneError && unicode.In(r, unicode.L, unicode.M, unicode.N)
}

func isWord(part string) bool {
	r, _ := utf8.DecodeRuneInString(part)
	return wordRune(r)
}
