package wire

import (
	"cmp"
	"strings"
)

// text is a line as it came or as it was kept: reading it is the same, and
// neither has to be copied into the other.
type text interface{ string | []byte }

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
	return replyLine(line)
}

func replyLine[T text](line T) (code int, more bool, body T, ok bool) {
	line = trimLineEnd(line)
	if len(line) < 3 {
		return 0, false, body, false
	}
	for i := range 3 {
		c := line[i]
		if c < '0' || c > '9' {
			return 0, false, body, false
		}
		code = code*10 + int(c-'0')
	}
	switch {
	case code < 100 || code > 699:
		return 0, false, body, false
	case len(line) == 3: // some servers send the code alone
		return code, false, body, true
	case line[3] == '-':
		return code, true, line[4:], true
	case line[3] == ' ' || line[3] == '\t':
		return code, false, line[4:], true
	}
	return 0, false, body, false
}

// ParseReply reads a whole reply from text whose lines end in CRLF, LF or
// nothing. ok is false when a line is no reply line or the reply is not
// complete.
func ParseReply(text string) (Reply, bool) {
	var r Reply
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	for i, line := range lines {
		code, more, body, ok := replyLine(line)
		if !ok || more != (i < len(lines)-1) {
			return Reply{}, false
		}
		r.Code = code
		r.Lines = append(r.Lines, body)
		r.Enhanced = cmp.Or(r.Enhanced, enhanced(code, body))
	}
	return r, true
}

// EnhancedIn returns the enhanced code of a whole reply's text: what ParseReply
// has, at less cost. It is empty where ParseReply is not ok.
func EnhancedIn(reply string) (found string) {
	rest, more := strings.TrimRight(reply, "\r\n"), true
	for more {
		var line string
		line, rest, more = strings.Cut(rest, "\n")
		code, goesOn, body, ok := replyLine(line)
		if !ok || goesOn != more {
			return ""
		}
		found = cmp.Or(found, enhanced(code, body))
	}
	return found
}

// Enhanced returns the RFC 3463 status code at the head of a reply line's
// text, or an empty string. Its class must be the reply code's own.
func Enhanced(code int, text []byte) string { return enhanced(code, text) }

func enhanced[T text](code int, text T) string {
	for len(text) > 0 && text[0] == ' ' {
		text = text[1:]
	}
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
	return codeText(text[:i])
}

// codeText spares the codes of every healthy session an allocation.
func codeText[T text](code T) string {
	switch string(code) {
	case "2.0.0":
		return "2.0.0"
	case "2.1.0":
		return "2.1.0"
	case "2.1.5":
		return "2.1.5"
	case "2.6.0":
		return "2.6.0"
	case "2.7.0":
		return "2.7.0"
	}
	return string(code)
}

// endsCode reports whether a character may stand behind an enhanced code.
func endsCode(c byte) bool {
	return c == ' ' || c == '\t' || c == ':' || c == '-' || c == ',' || c == ';' || c == ')' || c == ']' || c == '<' || c == '\r' || c == '\n'
}

// trimLineEnd cuts CRLF or a bare LF: replies of lax servers end so.
func trimLineEnd[T text](line T) T {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line
}
