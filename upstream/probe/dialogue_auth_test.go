package probe_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// secret is the password and the token of all tests; no text may hold it.
const secret = "correct-horse-battery"

// hidden are the forms in which the secret of these tests goes over the wire,
// but for a digest.
func hidden() []string {
	enc := base64.StdEncoding.EncodeToString
	return []string{
		secret, enc([]byte(secret)),
		enc([]byte("\x00me@example.com\x00" + secret)),
		enc([]byte("user=me@example.com\x01auth=Bearer " + secret + "\x01\x01")),
		enc([]byte("n,a=me@example.com,\x01auth=Bearer " + secret + "\x01\x01")),
	}
}

// tellsNothing fails when what a check has brought to light holds the secret.
func tellsNothing(t *testing.T, name string, r probe.Report) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range hidden() {
		if _, rest, found := strings.Cut(string(text), form); found {
			t.Errorf("%s: the report holds %q, before %.80q", name, form, rest)
		}
	}
}

// attempt is a sign-in, and the line by which the smarthost knows it.
type attempt struct {
	name   string
	script probe.Script
	offer  string
	line   string
}

func attempts() []attempt {
	user := "me@example.com"
	password, token := probe.Script{User: user, Password: secret}, probe.Script{User: user, Token: secret}
	as := func(s probe.Script, mechanism string) probe.Script {
		s.Mechanism = mechanism
		return s
	}
	return []attempt{
		{"the best for a password", password, "CRAM-MD5 LOGIN PLAIN", "AUTH PLAIN "},
		{"LOGIN", password, "GSSAPI LOGIN", "AUTH LOGIN"},
		{"a digest", password, "CRAM-MD5", "AUTH CRAM-MD5"},
		{"Google's", token, "PLAIN OAUTHBEARER XOAUTH2", "AUTH XOAUTH2 "},
		{"the standard's", token, "PLAIN OAUTHBEARER", "AUTH OAUTHBEARER "},
		{"by name", as(password, "login"), "PLAIN LOGIN", "AUTH LOGIN"},
		{"by name, not on offer", as(password, "CRAM-MD5"), "PLAIN", "AUTH CRAM-MD5"},
		{"a token given as a password", as(password, "XOAUTH2"), "PLAIN", "AUTH XOAUTH2 "},
		{"a password for a mechanism that needs none", password, "GSSAPI", ""},
		{"no AUTH on offer", password, "", ""},
		{"no user", probe.Script{Password: secret}, "PLAIN", ""},
	}
}

// TestOneSignIn counts at the smarthost: whatever it answers, and whatever is
// on offer, it is never asked twice, and the secret is in no text.
func TestOneSignIn(t *testing.T) {
	refusals := map[string]string{
		"refused":     "535 5.7.8 no",
		"echoed":      "@",
		"temporary":   "454 4.7.0 later",
		"a challenge": "334 " + base64.StdEncoding.EncodeToString([]byte("Password:")),
		"no base64":   "334 ???",
		"accepted":    "235 2.7.0 yes",
		"closed":      "!",
	}
	for kind, reply := range refusals {
		for _, a := range attempts() {
			l := listen(t, map[string]string{"AUTH": reply, "EHLO": "250-" + host + "\r\n250 AUTH " + a.offer})
			name := a.name + ", " + kind
			parts, r := examine(t.Context(), newProber(t, nil, probe.Options{}), target(l.Addr().String(), upstream.ModeNone), a.script)
			tellsNothing(t, name, r)
			if l := parts["auth"]; kind == "echoed" && a.line != "" && !strings.Contains(l.Text, "***") {
				t.Errorf("%s: nothing was masked in %q", name, l.Text)
			}
			want := min(1, len(a.line))
			if got := l.count("AUTH"); got != want {
				t.Errorf("%s: the smarthost heard AUTH %d times, want %d: %q", name, got, want, l.heard())
			}
			for _, line := range l.heard() {
				if strings.HasPrefix(line, "AUTH") && !strings.HasPrefix(line, a.line) {
					t.Errorf("%s: the smarthost heard %q, want %q", name, line, a.line)
				}
			}
		}
	}
}

// TestLongToken has a token that makes the command longer than one may be (RFC
// 5321, section 4.5.3.1.4) wait for the challenge, as RFC 4954, section 4 says,
// and wants it in no text either.
func TestLongToken(t *testing.T) {
	for _, test := range []struct {
		mechanism string
		length    int
		alone     bool // the command goes without it
	}{
		{"XOAUTH2", 300, false}, {"XOAUTH2", 2000, true}, {"OAUTHBEARER", 2000, true},
	} {
		token := strings.Repeat("eyJ0eXAiOiJKV1QiLCJh", test.length/20)
		l := listen(t, map[string]string{"AUTH": "@", "EHLO": "250-" + host + "\r\n250 AUTH " + test.mechanism})
		parts, r := examine(t.Context(), newProber(t, nil, probe.Options{}), target(l.Addr().String(), upstream.ModeNone),
			probe.Script{User: "me@example.com", Token: token})
		auth := l.heard()[1]
		if got := auth == "AUTH "+test.mechanism; got != test.alone || len(auth)+2 > 512 || l.count("AUTH") != 1 {
			t.Errorf("%s of %d octets: the smarthost heard %q in %d commands, want one of 512 octets at most", test.mechanism, test.length, auth, l.count("AUTH"))
		}
		if line := parts["auth"]; !strings.Contains(line.Text, "535 5.7.8") || !strings.Contains(line.Text, "***") {
			t.Errorf("%s of %d octets: got %+v, want it sent, refused and masked", test.mechanism, test.length, line)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{token[:60], base64.StdEncoding.EncodeToString([]byte("Bearer " + token))[:60]} {
			if strings.Contains(string(text), form) {
				t.Errorf("%s of %d octets: the report holds %q", test.mechanism, test.length, form)
			}
		}
	}
}
