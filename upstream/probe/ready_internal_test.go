package probe

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzPrintable holds what is shown of a smarthost's text to its promise:
// whole, visible characters, and not many.
func FuzzPrintable(f *testing.F) {
	f.Add("\x1b[31mred\x07 \u009b31m \u202e rtl")
	f.Add(strings.Repeat("x", 199) + "ä")
	f.Add("\xff\xfe latin-1 \xe4")
	f.Add(strings.Repeat("\xe4", 300))
	f.Fuzz(func(t *testing.T, text string) {
		got := printable(text)
		bad := strings.IndexFunc(got, func(r rune) bool { return !unicode.IsPrint(r) })
		if bad >= 0 || !utf8.ValidString(got) || utf8.RuneCountInString(got) > 200 {
			t.Errorf("%q: got %q, want at most 200 printable characters", text, got)
		}
		if len(text) <= 200 && utf8.RuneCountInString(got) != utf8.RuneCountInString(text) {
			t.Errorf("%q: got %q, want a mark for each character that is not shown", text, got)
		}
	})
}
