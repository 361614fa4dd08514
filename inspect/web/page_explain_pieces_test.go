package web

import (
	"slices"
	"strings"
	"testing"
)

func TestPiecesPasted(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"a line":                  {"550 no", []string{"550 no"}},
		"a reply":                 {"550-one\n550-two\n550 three", []string{"550-one\n550-two\n550 three"}},
		"two replies":             {"550 one\n550 two", []string{"550 one", "550 two"}},
		"another code":            {"250-one\n550 two", []string{"250-one", "550 two"}},
		"behind a log's own":      {"x said: 550-5.1.1 one\n550 5.1.1 two (in reply to RCPT TO)", []string{"x said: 550-5.1.1 one\n550 5.1.1 two (in reply to RCPT TO)"}},
		"swaks":                   {"<-  250-a\n<-  250 b\n -> MAIL FROM:<x@y>\n<** 550-c\n<** 550 d", []string{"250-a\n250 b", "MAIL FROM:<x@y>", "550-c\n550 d"}},
		"folded":                  {"host x said:\n    550 no\n\tmore", []string{"host x said:\n    550 no\n\tmore"}},
		"blank lines part":        {"one\n\n two", []string{"one", " two"}},
		"nothing":                 {"\n \n\t\n", nil},
		"a first line that folds": {"  550 no", []string{"  550 no"}},
	} {
		var got []string
		for _, p := range piecesPasted(test.text) {
			got = append(got, p.text)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// FuzzPiecesPasted: every line that is not blank is in exactly one piece, in
// its order, less what transcripts put before it.
func FuzzPiecesPasted(f *testing.F) {
	f.Add("550-a\n550 b\n\n<- 250 c\n  d")
	f.Add("<<<\n<-\n \n-> ")
	f.Fuzz(func(t *testing.T, text string) {
		lines, last := strings.Split(text, "\n"), 0
		for _, p := range piecesPasted(text) {
			parts := strings.Split(p.text, "\n")
			if p.first <= last || p.last-p.first+1 != len(parts) {
				t.Fatalf("%q: got lines %d to %d after %d for %q", text, p.first, p.last, last, p.text)
			}
			for i, part := range parts {
				if !strings.HasSuffix(lines[p.first-1+i], part) {
					t.Fatalf("%q: line %d became %q", text, p.first+i, part)
				}
			}
			for _, line := range lines[last : p.first-1] {
				if strings.TrimSpace(line) != "" {
					t.Fatalf("%q: the line %q is lost", text, line)
				}
			}
			last = p.last
		}
		if strings.TrimSpace(strings.Join(lines[last:], "")) != "" {
			t.Fatalf("%q: the end is lost", text)
		}
	})
}
