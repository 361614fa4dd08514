package main

import (
	"slices"
	"strings"
	"testing"

	"smtp-proxy/inspect"
)

// A proof is no longer than a line of the dialogue, however it has to be
// written, and does not repeat the line that it was cut from.
func TestProofsAreShort(t *testing.T) {
	long := strings.Repeat("x", 500)
	for _, test := range []struct {
		name, text, shown string
		want              []string
	}{
		{"short", "550 no", "", []string{"550 no  (line 9)"}},
		{"shown above", "550 no", "550 no", nil},
		{"cut, and shown above", long + "…", long + "yz", nil},
		{"cut", long + "…", "", []string{long + "…  (line 9)"}},
		{"controls", strings.Repeat("\x1b", 500), "", []string{strings.Repeat(`\x1b`, 149)}},
		{"no text", strings.Repeat("\xff", 500) + "…", "", []string{strings.Repeat(`\xff`, 149)}},
		{"wide", strings.Repeat("収", 500), "", []string{strings.Repeat("収", 299) + "…  (line 9)"}},
	} {
		got := evidence(inspect.Finding{Evidence: []inspect.Evidence{{Event: 9, Text: test.text}}}, test.shown)
		same := slices.EqualFunc(got, test.want, func(got, want string) bool { return strings.HasPrefix(got, want) })
		if !same || len(got) > 0 && (columns(got[0]) > mostText+len("  (line 9)") || !strings.HasSuffix(got[0], "  (line 9)")) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
