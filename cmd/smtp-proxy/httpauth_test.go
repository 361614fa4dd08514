package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

func TestReadUsers(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("hunter2"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ text, want string }{
		"one user":        {"# who may look\n\nme:" + string(hash) + "\r\n", ""},
		"a clear text":    {"me:hunter2\n", "line 1 is not user:bcrypt"},
		"no colon":        {"\nhunter2\n", "line 2 is not user:bcrypt"},
		"nobody's hash":   {":" + string(hash), "line 1 is not user:bcrypt"},
		"nobody":          {"# nobody yet\n", "names nobody"},
		"a slow hash":     {"me:" + strings.Replace(string(hash), "$04$", "$20$", 1), "bcrypt cost 20"},
		"an endless line": {"me:" + strings.Repeat("x", 1<<17), "names nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "users")
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			users, err := readUsers(path)
			if test.want == "" {
				if err != nil || bcrypt.CompareHashAndPassword(users["me"], []byte("hunter2")) != nil {
					t.Fatalf("readUsers = %v, %v, want the user me", users, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("readUsers = %v, want an error with %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error repeats the line: %v", err)
			}
		})
	}
	if _, err := readUsers(filepath.Join(t.TempDir(), "absent")); err == nil || !strings.Contains(err.Error(), "--http-auth") {
		t.Errorf("readUsers of an absent file = %v, want the flag named", err)
	}
}
