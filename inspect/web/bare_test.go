package web

import (
	"strings"
	"testing"
)

func TestBare(t *testing.T) {
	for target, want := range map[string]string{
		"smtp.example.com:587": "smtp.example.com:587", "smtps://smtp.example.com": "smtps://smtp.example.com", "": "", "@": "", "://": "://",
		"smtp://me:secret@smtp.example.com:587": "smtp://smtp.example.com:587", "me@example.com:secret@smtp.example.com": "smtp.example.com",
		"smtp://me:sec://ret@host": "smtp://host", "me:sec/ret@[::1]:25": "[::1]:25",
	} {
		if got := bare(target); got != want {
			t.Errorf("%q: got %q, want %q", target, got, want)
		}
	}
}

// FuzzBare leaves nothing of what stands before an @.
func FuzzBare(f *testing.F) {
	f.Add("smtp://me:secret@host:25")
	f.Add("a://b://c@d@e")
	f.Fuzz(func(t *testing.T, target string) {
		got := bare(target)
		scheme, _, _ := strings.Cut(target, "://")
		if strings.Contains(strings.TrimPrefix(got, scheme+"://"), "@") && strings.Contains(target, "://") || !strings.Contains(target, "://") && strings.Contains(got, "@") {
			t.Errorf("%q: got %q, which still has a user", target, got)
		}
	})
}
