package wire

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// Command is one command line as it came.
type Command struct {
	Verb string // upper case; the first word
	Arg  string // the rest, without the line end
}

// CommandEnd returns the length of the first complete command line of b, its
// CRLF included, or 0. CRLF alone ends a command (RFC 5321, section 2.3.8): a
// bare CR or LF is part of the line.
func CommandEnd(b []byte) int {
	for from := 0; ; {
		i := bytes.IndexByte(b[from:], '\n')
		if i < 0 {
			return 0
		}
		if end := from + i; end > 0 && b[end-1] == '\r' {
			return end + 1
		}
		from += i + 1
	}
}

// ParseCommand splits a line, with or without its CRLF, into verb and argument.
// Blanks in front of the verb are skipped, as lenient servers do.
func ParseCommand(line []byte) Command { return ParseCommandText(LineText(line)) }

// ParseCommandText is ParseCommand of a line whose CRLF has been cut off. The
// command shares the memory of the text.
func ParseCommandText(text string) Command {
	s := strings.TrimLeft(text, " \t")
	verb, arg := s, ""
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		verb, arg = s[:i], s[i+1:]
	}
	return Command{Verb: upperVerb(verb), Arg: arg}
}

// TrimCRLF cuts the one CRLF that ends a line.
func TrimCRLF(line []byte) []byte {
	return bytes.TrimSuffix(line, []byte("\r\n"))
}

// LineText returns a line as a string, without its CRLF. The lines that every
// session has, and that are the same in all, cost no memory.
func LineText(line []byte) string {
	switch text := TrimCRLF(line); string(text) {
	case "DATA":
		return "DATA"
	case "QUIT":
		return "QUIT"
	case "RSET":
		return "RSET"
	case "NOOP":
		return "NOOP"
	case "STARTTLS":
		return "STARTTLS"
	default:
		return string(text)
	}
}

// Known reports whether a verb is one of SMTP's, its extensions' or a
// common vendor's.
func Known(verb string) bool {
	switch verb {
	case "HELO", "EHLO", "LHLO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "NOOP", "QUIT",
		"VRFY", "EXPN", "HELP", "ETRN", "ATRN", "TURN", "AUTH", "STARTTLS",
		"SEND", "SOML", "SAML", "VERB", "BURL", "RCPTTO", "XCLIENT", "XFORWARD",
		"XEXCH50", "XEXPS", "X-EXPS", "X-LINK2STATE", "XADR", "XSTA", "XCIR", "XGEN":
		return true
	}
	return false
}

// upperVerb avoids an allocation for the verbs of every session.
func upperVerb(v string) string {
	switch v { // constants, so that no verb keeps its line in memory: that of AUTH may hold a secret
	case "MAIL":
		return "MAIL"
	case "RCPT":
		return "RCPT"
	case "DATA":
		return "DATA"
	case "EHLO":
		return "EHLO"
	case "QUIT":
		return "QUIT"
	}
	if len(v) <= 8 {
		for _, known := range [...]string{"MAIL", "RCPT", "DATA", "EHLO", "QUIT", "HELO", "RSET", "NOOP", "BDAT", "AUTH", "STARTTLS"} {
			if strings.EqualFold(v, known) {
				return known
			}
		}
	}
	return strings.ToUpper(v)
}

// Chunk reads the argument of BDAT (RFC 3030, section 2): the number of octets
// that follow, and whether they are the last of the message. ok is false when
// the argument is no such thing; huge when the number is one that cannot be
// counted, so that what follows cannot be understood.
func Chunk(arg string) (size int64, last, ok, huge bool) {
	word, rest, _ := strings.Cut(strings.TrimSpace(arg), " ")
	if word == "" || strings.Trim(word, "0123456789") != "" {
		return 0, false, false, false
	}
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil || n > math.MaxInt64/2 {
		return 0, false, false, true
	}
	rest = strings.TrimSpace(rest)
	if rest != "" && !strings.EqualFold(rest, "LAST") {
		return 0, false, false, false
	}
	return n, rest != "", true, false
}

// Newlines says which forbidden newlines and NULs stand inside a line whose
// own CRLF has been cut off.
func Newlines(line []byte) (bareLF, bareCR, nul bool) {
	if bytes.IndexByte(line, '\n') < 0 && bytes.IndexByte(line, '\r') < 0 && bytes.IndexByte(line, 0) < 0 {
		return false, false, false // three vectorised searches: nearly every line ends here
	}
	for i, c := range line {
		switch c {
		case '\n':
			bareLF = bareLF || i == 0 || line[i-1] != '\r'
		case '\r':
			bareCR = bareCR || i+1 == len(line) || line[i+1] != '\n'
		case 0:
			nul = true
		}
	}
	return bareLF, bareCR, nul
}
