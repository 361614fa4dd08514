package main

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// hostileValues are values that would do harm where they are not quoted.
func hostileValues() []string {
	return []string{
		"", "-", "--", "-rf /", "~", "*", "a b", "a'b", `a"b`, `a\b`, `\`, `\n`, "$HOME", "$(touch pwned)", "`touch pwned`", "a;b|c&d>e<f",
		"!!", "#x", "%s%n", "a\nb", "\n", "a\r\nMAIL FROM:<b@y>", "\x1b[31m", "tab\there", "é", "日本", "\xff\xfe", "a\xc3", "\u202eabc", "\u2028", "'''", `"""`,
		"${x}", "${SMTP_PASSWORD}", "{{.Head}}", "</script>", "\x7f", "ends with newlines\n\n", "\x01auth=Bearer x\x01", strings.Repeat("\x11", 5000), strings.Repeat("\xac", 5000),
		strings.Repeat("\xff", 5000), strings.Repeat("a\x01", 2500), strings.Repeat("\t ", 2500), strings.Repeat("\u200b'", 1200),
	}
}

// FuzzShellWord runs what is quoted, and wants it back.
func FuzzShellWord(f *testing.F) {
	for _, v := range hostileValues() {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if strings.ContainsRune(value, 0) || len(value) > 5000 {
			return
		}
		word := shellWord(value)
		for i := range len(word) {
			if c := word[i]; c < ' ' && c != '\n' || c == 0x7f {
				t.Errorf("shellWord(%q) = %q, which holds a control character", value, word)
			}
		}
		out, err := exec.Command("/bin/sh", "-c", "printf %s "+word).Output()
		if err != nil || string(out) != value {
			t.Errorf("sh makes %q of %s, want %q (%v)", out, word, value, err)
		}
	})
}

// FuzzQuoteASCII reads the literal as Go does, whose escapes are those of
// Python and JavaScript as far as they are used here.
func FuzzQuoteASCII(f *testing.F) {
	for _, v := range append(hostileValues(), "a\x00b") {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, value string) {
		literal := quoteASCII(value)
		if got, err := strconv.Unquote(literal); err != nil || got != value {
			t.Errorf("quoteASCII(%q) = %s, which says %q (%v)", value, literal, got, err)
		}
		if !plainText(literal) {
			t.Errorf("quoteASCII(%q) = %q, want printable ASCII", value, literal)
		}
	})
}

// TestQuotedForInterpreters lets those languages themselves read the literals,
// as far as they are installed.
func TestQuotedForInterpreters(t *testing.T) {
	values := append([]string{"a\x00b"}, hostileValues()...)
	var python, node strings.Builder
	python.WriteString("import sys\n")
	for _, v := range values {
		python.WriteString("sys.stdout.buffer.write(b" + quoteASCII(v) + ` + b"\0end\0")` + "\n")
		node.WriteString("process.stdout.write(Buffer.from(" + quoteASCII(v) + ` + "\0end\0", "latin1"));` + "\n")
	}
	want := strings.Join(values, "\x00end\x00") + "\x00end\x00"
	for _, test := range []struct{ command, flag, program string }{{"python3", "-c", python.String()}, {"node", "-e", node.String()}} {
		path, err := exec.LookPath(test.command)
		if err != nil {
			continue // [FuzzQuoteASCII] reads them as Go does
		}
		// A NUL has no place in an argument, and none is: it is written out.
		if out, err := exec.Command(path, test.flag, test.program).Output(); err != nil || string(out) != want {
			t.Errorf("%s makes %q of the literals, want %q (%v)", test.command, out, want, err)
		}
	}
}

func TestRemarks(t *testing.T) {
	for _, v := range append(hostileValues(), "a\x00b") {
		for _, mark := range []string{"#", "//"} {
			got := remarks(mark, []string{"recorded RCPT: 550 " + v})
			if strings.Count(got, "\n") != 1 || strings.ContainsAny(got, "\r\x00\x1b\u2028") || !strings.HasPrefix(got, mark) {
				t.Errorf("remarks(%q) of %q = %q, want one line", mark, v, got)
			}
		}
	}
}
