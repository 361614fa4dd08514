package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// shellWord quotes a value as one word for a POSIX shell. Octets that could
// drive the terminal of who reads the script are written out in octal; a NUL
// has no place in an argument and is left out, see [fitsShell].
func shellWord(value string) string {
	if value != "" && !strings.ContainsFunc(value, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_.,:/@%+-", r))
	}) {
		return value
	}
	var b strings.Builder
	quoted := false // within single quotes
	quote := func(on bool) {
		if quoted != on {
			b.WriteByte('\'')
			quoted = on
		}
	}
	for rest := strings.ReplaceAll(value, "\x00", ""); rest != ""; {
		r, n := utf8.DecodeRuneInString(rest)
		switch {
		case r == '\'':
			quote(false)
			b.WriteString(`\'`)
		case !written(r):
			quote(true)
			b.WriteString(rest[:n])
		default:
			quote(false)
			n = writtenRun(rest)
			b.WriteString(`"$(printf '` + octal(rest[:n]) + `')"`)
		}
		rest = rest[n:]
	}
	quote(false)
	if b.Len() == 0 {
		return "''"
	}
	return b.String()
}

// written says whether a rune is written out in octal.
func written(r rune) bool { return r == utf8.RuneError || r != '\n' && hides(r) }

// writtenRun is how much of text, which begins with a rune to be written out,
// goes into one substitution: as far as such runes follow each other, or up to
// the last of them where they are many, since dash dies of some thousand
// substitutions in a word. It never ends with a newline, which a substitution
// would swallow.
func writtenRun(text string) int {
	const many = 50
	run, last, count := 0, 0, 0
	for i, r := range text {
		if !written(r) {
			continue
		}
		_, n := utf8.DecodeRuneInString(text[i:])
		if i == run {
			run += n
		}
		last = i + n
		count++
	}
	if count > many {
		return last
	}
	return run
}

// octal writes each octet as printf of a shell reads it.
func octal(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, `\%03o`, s[i])
	}
	return b.String()
}

// fitsShell refuses what no argument of a program can hold.
func fitsShell(values ...string) error {
	for _, v := range values {
		if strings.ContainsRune(v, 0) {
			return fmt.Errorf("%s holds a NUL, which no argument of a command can hold: use --format python, node or go", visible(v))
		}
	}
	return nil
}

// commandLine lays out a command with one option a line.
func commandLine(program string, options []string) string {
	return program + " \\\n  " + strings.Join(options, " \\\n  ") + "\n"
}

// shellScript is the beginning of a script: what it is, the secret that it
// asks for, and the messages.
func (r *reproduction) shellScript() string {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n" + remarks("#", r.head()) + "\n")
	if secret := secretOf(r.auth); secret != "" {
		fmt.Fprintf(&b, ": \"${%s:?set it to the %s}\"\n", secret, secretWord(secret))
	}
	for _, n := range r.numbers() {
		b.WriteString(r.messages[n].shell())
	}
	return b.String()
}

// shell makes the file.
func (t text) shell() string {
	if t.file != "" {
		return fmt.Sprintf("[ -e %s ] || %s %s || exit 1\n", t.file, t.command, t.file)
	}
	var b strings.Builder
	for line := range strings.Lines(t.stand) {
		b.WriteString(" \\\n  " + shellWord(strings.TrimRight(line, "\r\n")))
	}
	return "[ -e message.eml ] || printf '%s\\r\\n'" + b.String() + " >message.eml\n"
}
