package inspect

import (
	"bytes"
	"mime"
	"strings"
)

// maxHead bounds how much of a message is read for its subject and id.
const maxHead = 64 << 10

// maxSubject bounds what is kept of a subject or an id.
const maxSubject = 998

// headers reads subject and message id from a header section.
func headers(head []byte) (subject, id string) {
	for len(head) > 0 {
		field := head[:fieldEnd(head)]
		head = head[len(field):]
		name, value, ok := bytes.Cut(field, []byte(":"))
		switch {
		case !ok:
		case subject == "" && bytes.EqualFold(bytes.TrimRight(name, " \t"), []byte("Subject")):
			subject = decodeWords(unfold(value))
		case id == "" && bytes.EqualFold(bytes.TrimRight(name, " \t"), []byte("Message-ID")):
			id = clip(unfold(value))
		}
	}
	return subject, id
}

// fieldEnd returns the length of the first field of b, its folded lines
// included (RFC 5322, section 2.2.3).
func fieldEnd(b []byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			return len(b)
		}
		at += i + 1
		if at == len(b) || b[at] != ' ' && b[at] != '\t' {
			return at
		}
	}
}

func unfold(value []byte) string {
	s := strings.TrimSpace(string(value))
	if !strings.ContainsAny(s, "\r\n") {
		return s
	}
	return strings.NewReplacer("\r", "", "\n", "").Replace(s)
}

// decodeWords reads encoded words (RFC 2047). What is in a character set that
// the standard library does not know stays as it was sent.
func decodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return clip(s)
	}
	var d mime.WordDecoder
	if text, err := d.DecodeHeader(s); err == nil {
		s = text
	}
	return clip(s)
}

func clip(s string) string {
	if len(s) > maxSubject {
		s = s[:maxSubject]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
