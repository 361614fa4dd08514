package main

import (
	"fmt"
	"strings"
)

// PythonFormat is the session as a program in Python. It is written on sockets
// as smtplib words the commands itself, refuses what it thinks is wrong, and
// ends a session at the first refusal.
func (x *export) PythonFormat() format {
	return format{
		name:  "python",
		about: "a program in Python that repeats it, with the standard library alone",
		file:  ".py", each: true,
		write: x.writeReproduction((*reproduction).python),
	}
}

func (r *reproduction) python() (string, error) {
	return r.program(language{
		file: "python.txt", mark: "#", run: "python3 repro.py",
		text: quoteASCII, quote: func(s string) string { return "b" + quoteASCII(s) },
		slice: "%s[%d:%d]", truth: [2]string{"False", "True"}, let: "%s = %s",
	})
}

// quoteASCII is a literal for languages with the escapes of C and a string
// that holds octets: Python's bytes, and strings of JavaScript whose
// characters are octets.
func quoteASCII(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"', c == '\\':
			b.WriteString(`\` + string(c))
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\n':
			b.WriteString(`\n`)
		case c < ' ', c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
