package testenv

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Script is a conversation written down, in the marks of a transcript:
//
//	<- 220 mx.example.com ESMTP    a line that the upstream says, CRLF added
//	-> EHLO*                       a line that the app says; * for any rest
//	<= 250 half a li               octets of the upstream, nothing added
//	=> ne\r\n                      octets of the app
//	! data                         the message up to its CRLF.CRLF (heard, not said)
//	! tls                          both shake hands
//	! pause 20ms                   wait before going on
//	! call NAME                    run the player's hook of that name
//	! shut                         end the own direction only
//	! close, ! reset               end the connection with FIN or RST
//	! eof                          hear everything until the peer ends
//
// The same script can be played from either side: a [Tape] says the lines of
// the upstream and expects those of the app, an [App] the other way round.
// Blank lines and lines that begin with # say nothing. \r, \n, \t, \0, \\ and
// \xHH stand for the octets that they name. A line --- begins the next
// conversation.
type Script [][]step

// step is one line of a script.
type step struct {
	line int    // in the source, from 1
	mark string // one of the keys of marks
	text string // decoded; a directive's words
}

const (
	upstreamLine   = "<-"
	upstreamOctets = "<="
	appLine        = "->"
	appOctets      = "=>"
	directive      = "!"
	nextTalk       = "---"
)

// ParseScript reads a script. Errors name the line.
func ParseScript(text string) (Script, error) {
	script := Script{nil}
	for i, raw := range strings.Split(text, "\n") {
		line := strings.TrimLeft(raw, " \t")
		switch {
		case strings.TrimSpace(line) == "" || line[0] == '#':
		case strings.TrimSpace(line) == nextTalk:
			script = append(script, nil)
		default:
			s, err := parseStep(line)
			if err != nil {
				return nil, fmt.Errorf("script line %d %q: %w", i+1, raw, err)
			}
			s.line = i + 1
			last := len(script) - 1
			script[last] = append(script[last], s)
		}
	}
	return script, nil
}

func parseStep(line string) (step, error) {
	mark, rest, _ := strings.Cut(line, " ")
	switch mark {
	case upstreamLine, upstreamOctets, appLine, appOctets:
		text, err := unescape(rest)
		return step{mark: mark, text: text}, err
	case directive:
		return parseDirective(rest)
	}
	return step{}, fmt.Errorf("begins with none of <- -> <= => ! # ---")
}

func parseDirective(rest string) (step, error) {
	words := strings.Fields(rest)
	if len(words) == 0 {
		return step{}, fmt.Errorf("a directive is missing")
	}
	want := 1
	switch words[0] {
	case "data", "tls", "shut", "close", "reset", "eof":
	case "call":
		want = 2
	case "pause":
		want = 2
		if len(words) == 2 {
			if d, err := time.ParseDuration(words[1]); err != nil || d < 0 {
				return step{}, fmt.Errorf("pause wants a duration such as 20ms")
			}
		}
	default:
		return step{}, fmt.Errorf("no such directive")
	}
	if len(words) != want {
		return step{}, fmt.Errorf("%s takes %d words, got %d", words[0], want-1, len(words)-1)
	}
	return step{mark: directive, text: strings.Join(words, " ")}, nil
}

// unescape replaces the escapes of a script by the octets they stand for.
func unescape(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++
		if i == len(s) {
			return "", fmt.Errorf("a lone \\ at the end")
		}
		if s[i] == 'x' {
			octet, err := hexOctet(s[i+1:])
			if err != nil {
				return "", err
			}
			b.WriteByte(octet)
			i += 2
			continue
		}
		octet, ok := map[byte]byte{'r': '\r', 'n': '\n', 't': '\t', '0': 0, '\\': '\\'}[s[i]]
		if !ok {
			return "", fmt.Errorf("no such escape \\%c", s[i])
		}
		b.WriteByte(octet)
	}
	return b.String(), nil
}

func hexOctet(s string) (byte, error) {
	if len(s) < 2 {
		return 0, fmt.Errorf("\\x wants two hex digits")
	}
	n, err := strconv.ParseUint(s[:2], 16, 8)
	if err != nil {
		return 0, fmt.Errorf("\\x wants two hex digits, got %q", s[:2])
	}
	return byte(n), nil
}

// escape writes octets so that unescape reads them back, one line long.
func escape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			b.WriteString(`\\`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\n':
			b.WriteString(`\n`)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// String writes the script so that ParseScript reads the same steps back.
func (s Script) String() string {
	var b strings.Builder
	for i, talk := range s {
		if i > 0 {
			b.WriteString(nextTalk + "\n")
		}
		for _, st := range talk {
			b.WriteString(st.String() + "\n")
		}
	}
	return b.String()
}

func (s step) String() string {
	if s.mark == directive {
		return s.mark + " " + s.text
	}
	return s.mark + " " + escape(s.text)
}
