package main

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// leakFree demands that a password is in no file below the directories: not
// raw, not in base64, not in the blob of AUTH PLAIN.
//
//	leakfree USER PASSWORD DIR…
func leakFree(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: leakfree USER PASSWORD DIR…")
	}
	var found []string
	for _, dir := range args[2:] {
		ts.Check(filepath.WalkDir(ts.MkAbs(dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			for name, secret := range disguises(args[0], args[1]) {
				if bytes.Contains(text, []byte(secret)) {
					found = append(found, path+" ("+name+")")
				}
			}
			return err
		}))
	}
	switch {
	case !neg && len(found) > 0:
		ts.Fatalf("the secret is in %s", strings.Join(found, ", "))
	case neg && len(found) == 0:
		ts.Fatalf("the secret is in none of %q, want it found", args[2:])
	}
}

// disguises are the forms in which a secret goes over the wire.
func disguises(user, password string) map[string]string {
	b64 := base64.StdEncoding.EncodeToString
	plain := b64([]byte("\x00" + user + "\x00" + password))
	return map[string]string{
		"raw":            password,
		"base64":         strings.TrimRight(b64([]byte(password)), "="),
		"AUTH PLAIN":     plain,
		"its last part":  plain[len(plain)/2:],
		"JSON's escapes": strings.ReplaceAll(password, "ä", `\u00e4`),
	}
}
