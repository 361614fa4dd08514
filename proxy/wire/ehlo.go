package wire

import (
	"bytes"
	"strings"
)

// Keyword returns the EHLO keyword of a line's text, in upper case, and its
// parameters. The older form "AUTH=LOGIN" counts as AUTH.
func Keyword(text []byte) (name, params string) {
	name, params, _ = strings.Cut(strings.TrimSpace(string(text)), " ")
	if auth, rest, ok := strings.Cut(name, "="); ok {
		name, params = auth, strings.TrimSpace(rest+" "+params)
	}
	return strings.ToUpper(name), strings.TrimSpace(params)
}

// Offers reports whether a complete EHLO reply (raw bytes) offers a keyword.
func Offers(reply []byte, keyword string) bool {
	found := false
	eachLine(reply, func(i int, line []byte) {
		if _, _, text, ok := ReplyLine(line); ok && i > 0 {
			name, _ := Keyword(text)
			found = found || name == keyword
		}
	})
	return found
}

// EditEHLO returns a complete EHLO reply less some of its keywords and with
// others added, and what was changed in words. The order of the lines that
// stay, and every byte of them but the separator of the last, is kept.
func EditEHLO(reply []byte, edit EHLOEdit) ([]byte, []string) {
	if !edit.concerns(reply) {
		return reply, nil
	}
	var lines [][]byte
	var changes []string
	eachLine(reply, func(i int, line []byte) {
		kept, change := edit.line(i, line)
		if change != "" {
			changes = append(changes, change)
		}
		if kept != nil {
			lines = append(lines, kept)
		}
	})
	if edit.Add != "" && len(lines) > 0 && !Offers(reply, edit.Add) {
		last := lines[len(lines)-1]
		lines = append(lines, append(append([]byte{}, last[:3]...), " "+edit.Add+"\r\n"...))
		changes = append(changes, "added "+edit.Add)
	}
	if len(changes) == 0 {
		return reply, nil
	}
	return joinReply(lines), changes
}

// EHLOEdit says what is to differ in an EHLO reply.
type EHLOEdit struct {
	Remove     string // a keyword
	Add        string // a keyword, unless the reply has it already
	Unbindable bool   // drop AUTH mechanisms that bind to the TLS channel
}

// concerns reports whether a reply could come out changed. Most do not, and
// need not be taken apart.
func (e EHLOEdit) concerns(reply []byte) bool {
	found := e.Add != ""
	eachLine(reply, func(i int, line []byte) {
		_, _, text, ok := ReplyLine(line)
		found = found || ok && i > 0 && (named(text, e.Remove) || e.Unbindable && named(text, "AUTH"))
	})
	return found
}

// named reports whether a line's keyword may be the one given: Keyword tells
// for certain.
func named(text []byte, keyword string) bool {
	name, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte(" "))
	name, _, _ = bytes.Cut(name, []byte("="))
	return bytes.EqualFold(name, []byte(keyword))
}

// line returns what stays of one line, nil for nothing, and what was changed.
func (e EHLOEdit) line(i int, line []byte) (kept []byte, change string) {
	_, _, text, ok := ReplyLine(line)
	if !ok || i == 0 {
		return line, ""
	}
	switch name, params := Keyword(text); {
	case name == e.Remove && e.Remove != "":
		return nil, "removed " + name
	case name == "AUTH" && e.Unbindable:
		return withoutBinding(line, text, params)
	}
	return line, ""
}

// withoutBinding drops the mechanisms whose name ends in -PLUS (RFC 5802): they
// are bound to a TLS channel that ends at the proxy, so they cannot work.
func withoutBinding(line, text []byte, params string) ([]byte, string) {
	var keep, gone []string
	for _, m := range strings.Fields(params) {
		if strings.HasSuffix(strings.ToUpper(m), "-PLUS") {
			gone = append(gone, m)
		} else {
			keep = append(keep, m)
		}
	}
	if len(gone) == 0 {
		return line, ""
	}
	change := "removed AUTH mechanism " + strings.Join(gone, " ")
	if len(keep) == 0 {
		return nil, change
	}
	sep := text[len("AUTH")]
	out := append([]byte{}, line[:4]...)
	out = append(out, text[:len("AUTH")]...)
	out = append(out, sep)
	return append(out, strings.Join(keep, " ")+"\r\n"...), change
}

// joinReply sets the separators so that only the last line ends the reply.
func joinReply(lines [][]byte) []byte {
	var out []byte
	for i, line := range lines {
		start := len(out)
		out = append(out, line...)
		if len(line) < 4 {
			continue
		}
		switch last := i == len(lines)-1; {
		case last && line[3] == '-':
			out[start+3] = ' '
		case !last && line[3] == ' ':
			out[start+3] = '-'
		}
	}
	return out
}

// eachLine calls f for each line of b, its line end included.
func eachLine(b []byte, f func(i int, line []byte)) {
	for i := 0; len(b) > 0; i++ {
		n := bytes.IndexByte(b, '\n') + 1
		if n == 0 {
			n = len(b)
		}
		f(i, b[:n])
		b = b[n:]
	}
}
