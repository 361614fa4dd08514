//go:build rigs

package rigs_test

import (
	"encoding/base64"
	"strings"
	"testing"
)

// token is a planted OAuth token.
const token = "ya29.Planted-T0ken-of-the-Rigs"

// TestSecretsAstray sends secrets in ways that no good app would: to a
// mechanism that was refused, without base64, in the same breath as AUTH.
// Wherever they end up, it is not in the record.
func TestSecretsAstray(t *testing.T) {
	k := newKit(t)
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	bearer := encode("user=" + account + "\x01auth=Bearer " + token + "\x01\x01")
	plain := encode("\x00" + account + "\x00" + password)
	sayings := map[string]string{
		"OAuth token in the command":       "AUTH XOAUTH2 " + bearer,
		"OAuth token behind a refusal":     "AUTH XOAUTH2\n\n" + bearer,
		"PLAIN answer behind a refusal":    "AUTH NONSENSE\n\n" + plain,
		"LOGIN answers behind a refusal":   "AUTH NONSENSE\n\n" + encode(account) + "\n\n" + encode(password),
		"LOGIN with a raw password":        "AUTH LOGIN\n\n" + encode(account) + "\n\n" + password,
		"PLAIN with a raw password":        "AUTH PLAIN " + account + " " + password,
		"PLAIN with blanks in the answer":  "AUTH PLAIN " + plain[:12] + " " + plain[12:],
		"LOGIN all in one breath":          "AUTH LOGIN\n" + encode(account) + "\n" + encode(password),
		"lower case, the user at once":     "auth login " + encode(account) + "\n\n" + encode(wrongPassword),
		"PLAIN twice, the first one wrong": "AUTH PLAIN " + encode("\x00"+account+"\x00"+wrongPassword) + "\n\nAUTH PLAIN " + plain,
		"AUTH again behind success":        "AUTH PLAIN " + plain + "\n\nAUTH PLAIN " + plain,
		"cancelled, then the answer":       "AUTH LOGIN\n\n*\n\n" + encode(password),
	}
	for _, s := range servers() {
		t.Run(s.name, func(t *testing.T) {
			p := newProxy(t, k, s.start(t, k), legs{clear, starttls})
			p.run(t)
			for name, lines := range sayings {
				if err := blurt(p.addr, lines); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			p.finish(t)
			if got := len(p.sessions(t)); got != len(sayings) {
				t.Errorf("got %d sessions in the record, want %d", got, len(sayings))
			}
			checkSecrets(t, p)
		})
	}
}

// blurt says the lines, whatever is answered, and leaves. A blank line waits
// for a reply.
func blurt(addr, lines string) error {
	d, err := dial(addr, "astray.app.rig.test")
	if err != nil {
		return err
	}
	defer d.Close()
	for breath := range strings.SplitSeq(lines, "\n\n") {
		if err := d.PrintfLine("%s", strings.ReplaceAll(breath, "\n", "\r\n")); err != nil {
			return err
		}
		if _, _, err := d.ReadResponse(0); err != nil {
			return err
		}
	}
	return nil
}

// TestNeedles makes sure that the search would find what it looks for.
func TestNeedles(t *testing.T) {
	for _, before := range []string{"", "a", "ab", "abc", "\x00" + account + "\x00"} {
		text := base64.StdEncoding.EncodeToString([]byte(before + password + "behind"))
		if found := hits([]byte("rows " + text + " rows")); found == 0 {
			t.Errorf("the password behind %q in base64 is not found in %q", before, text)
		}
	}
	if found := hits([]byte("a row without any")); found != 0 {
		t.Errorf("got %d hits in a text without a secret, want none", found)
	}
}
