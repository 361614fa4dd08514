package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
)

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"250 ok":             "250 ok",
		"tab\tand\r\nend":    `tab\tand\r\nend`,
		"\x1b[2J":            `\x1b[2J`,
		"\xff\xfe":           `\xff\xfe`,
		"é中\u0301":           "é中\u0301",
		"\u202etxt.exe":      `\u202etxt.exe`,
		"zero\u200bwidth":    `zero\u200bwidth`,
		"\u0085\u2028\u00a0": `\x85\u2028\xa0`,
		"\uFFFD":             "\uFFFD",
	} {
		if got := visible(in); got != want {
			t.Errorf("visible(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	long := strings.Repeat("x", 50)
	for _, test := range []struct {
		text  string
		width int
		want  []string
	}{
		{"a short line", 40, []string{"a short line"}},
		{"one two three four five six seven", 24, []string{"one two three four five", "six seven"}},
		{"see https://" + long + " now", 24, []string{"see", "https://" + long, "now"}},
		{"never broken where there is no width", 0, []string{"never broken where there is no width"}},
		{"", 40, []string{""}},
	} {
		if got := wrap(test.text, test.width); !slices.Equal(got, test.want) {
			t.Errorf("wrap(%q, %d) = %q, want %q", test.text, test.width, got, test.want)
		}
	}
}

// FuzzWrap checks that wrapping changes blanks only.
func FuzzWrap(f *testing.F) {
	f.Add("one two  three", 24)
	f.Fuzz(func(t *testing.T, text string, width int) {
		if got := strings.Join(wrap(text, width%200), " "); got != text {
			t.Fatalf("wrap(%q, %d) joins to %q", text, width, got)
		}
	})
}

func TestClip(t *testing.T) {
	for _, test := range []struct {
		text  string
		width int
		want  string
	}{{"abcdef", 6, "abcdef"}, {"abcdefg", 6, "abcde…"}, {"中中中中", 6, "中中…"}, {"", 3, ""}} {
		if got := clip(test.text, test.width); got != test.want {
			t.Errorf("clip(%q, %d) = %q, want %q", test.text, test.width, got, test.want)
		}
	}
}

func TestColour(t *testing.T) {
	for name, test := range map[string]struct {
		flag, noColor string
		want          bool
	}{
		"auto, no terminal": {"auto", "", false},
		"always":            {"always", "", true},
		"always, NO_COLOR":  {"always", "1", true},
		"never":             {"never", "", false},
	} {
		p := &program{color: test.flag, env: func(name string) (string, bool) { return test.noColor, name == "NO_COLOR" }}
		if got := p.screen(&bytes.Buffer{}).color; got != test.want {
			t.Errorf("%s: color = %v, want %v", name, got, test.want)
		}
	}
}

func TestTook(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 µs", 43 * time.Microsecond: "43 µs", 999600 * time.Nanosecond: "1.0 ms", 9940 * time.Microsecond: "9.9 ms", 9960 * time.Microsecond: "10 ms",
		999 * time.Millisecond: "999 ms", 1250 * time.Millisecond: "1.2 s", 59900 * time.Millisecond: "59.9 s", time.Minute: "1m 00s", 61 * time.Minute: "1h 01m",
	} {
		if got := inspect.Took(d); got != want {
			t.Errorf("took(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	table := table{screen: screen{out: &out, width: 40}}
	table.add(cell{"a", plainStyle}, cell{"long cell", red}, cell{"the last column is cut at the edge", dim})
	table.add(cell{"bb", plainStyle}, cell{"中", plainStyle}, cell{"x", plainStyle})
	table.add(cell{})
	if err := table.write(); err != nil {
		t.Fatal(err)
	}
	want := "a   long cell  the last column is cut a…\nbb  中         x\n\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
