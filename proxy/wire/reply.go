package wire

import (
	"bytes"
	"strings"
)

// Reply is an SMTP reply (RFC 5321, section 4.2).
type Reply struct {
	Code     int
	Enhanced string   // RFC 3463 code such as "5.1.1", or empty
	Lines    []string // the text of each line, without code and separator
}

// Text returns the lines of the reply joined by newlines, without codes.
func (r Reply) Text() string { return strings.Join(r.Lines, "\n") }

// ReplyLine reads one line of a reply, with or without its line end. more says
// that the reply goes on behind it. ok is false when the line is no SMTP reply.
func ReplyLine(line []byte) (code int, more bool, text []byte, ok bool) {
	line = trimLineEnd(line)
	if len(line) < 3 {
		return 0, false, nil, false
	}
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return 0, false, nil, false
		}
		code = code*10 + int(c-'0')
	}
	switch {
	case code < 100 || code > 699:
		return 0, false, nil, false
	case len(line) == 3: // some servers send the code alone
		return code, false, nil, true
	case line[3] == '-':
		return code, true, line[4:], true
	case line[3] == ' ' || line[3] == '\t':
		return code, false, line[4:], true
	}
	return 0, false, nil, false
}

// ParseReply reads a whole reply from text whose lines end in CRLF, LF or
// nothing. ok is false when a line is no reply line or the reply is not
// complete.
func ParseReply(text string) (Reply, bool) {
	var r Reply
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	for i, line := range lines {
		code, more, body, ok := ReplyLine([]byte(line))
		if !ok || more != (i < len(lines)-1) {
			return Reply{}, false
		}
		r.Code = code
		r.Lines = append(r.Lines, string(body))
		if e := Enhanced(code, body); e != "" && r.Enhanced == "" {
			r.Enhanced = e
		}
	}
	return r, true
}

// Enhanced returns the RFC 3463 status code at the head of a reply line's
// text, or an empty string. Its class must be the reply code's own.
func Enhanced(code int, text []byte) string {
	text = bytes.TrimLeft(text, " ")
	i, dots, digits := 0, 0, 0
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c >= '0' && c <= '9' && digits < 3:
			digits++
			continue
		case c == '.' && digits > 0 && dots < 2:
			dots++
			digits = 0
			continue
		}
		break
	}
	if dots != 2 || digits == 0 || text[1] != '.' || int(text[0]-'0') != code/100 {
		return ""
	}
	if i < len(text) && !endsCode(text[i]) {
		return ""
	}
	return string(text[:i])
}

// endsCode reports whether a character may stand behind an enhanced code.
func endsCode(c byte) bool {
	return c == ' ' || c == '\t' || c == ':' || c == '-' || c == ',' || c == ';' || c == ')' || c == ']' || c == '<' || c == '\r' || c == '\n'
}

// trimLineEnd cuts CRLF or a bare LF: replies of lax servers end so.
func trimLineEnd(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}
