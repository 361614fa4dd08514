package replay_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream/replay"
)

// signing is a record of sign-ins: "PLAIN 235" is one that was accepted.
func signing(t *testing.T, tries ...string) []session.Entry {
	t.Helper()
	entries := history(t, "<- 220 mx ESMTP", "-> EHLO me", "<- 250 mx")
	for _, try := range tries {
		mechanism, code, _ := strings.Cut(try, " ")
		entries = append(entries, session.Entry{Kind: session.KindAuth, Verb: "AUTH", Text: "AUTH " + mechanism + " ***", Auth: &session.Auth{Mechanism: mechanism}})
		entries = append(entries, history(t, "<- "+code+" words")...)
	}
	return append(entries, history(t, "-> QUIT", "<- 221 2.0.0 bye")...)
}

// A password is tried where it was accepted then, else once.
func TestPasswordsAreTriedOnce(t *testing.T) {
	const all = "250-mx\r\n250 AUTH PLAIN LOGIN"
	for _, test := range []struct {
		tries   []string
		ehlo    string
		answer  string
		auth    *replay.Credentials
		said    string // the mechanisms
		notSent int
	}{
		{[]string{"PLAIN 235"}, all, "235 ok", password(), "PLAIN", 0},
		{[]string{"PLAIN 235"}, all, "235 ok", nil, "", 1},
		{[]string{"PLAIN 535"}, all, "535 no", password(), "PLAIN", 0},
		{[]string{"PLAIN 535", "PLAIN 535", "LOGIN 535"}, all, "535 no", password(), "PLAIN", 2},
		{[]string{"PLAIN 535", "PLAIN 235"}, all, "535 no", password(), "PLAIN", 1},
		{[]string{"PLAIN 235", "PLAIN 235"}, all, "535 no", password(), "PLAIN", 1},
		{[]string{"PLAIN 334"}, all, "235 ok", password(), "", 1},
		{[]string{"SCRAM-SHA-256 235"}, all, "235 ok", password(), "PLAIN", 0},
		{[]string{"SCRAM-SHA-256 235"}, "250 mx", "235 ok", password(), "", 1},
		{[]string{"XOAUTH2 235"}, all, "235 ok", token(), "XOAUTH2", 0},
		{[]string{"PLAIN 235"}, "250-mx\r\n250 AUTH OAUTHBEARER", "235 ok", token(), "OAUTHBEARER", 0},
		{[]string{"PLAIN 235"}, all, "235 ok", token(), "", 1},
		{[]string{"*** 235"}, all, "235 ok", password(), "PLAIN", 0},
	} {
		answers := usual()
		answers["EHLO"], answers["AUTH"] = test.ehlo, test.answer
		conn, heard := smarthost(t, answers)
		o := replay.Options{Auth: test.auth}
		script, err := kept(signing(t, test.tries...)).Script(o)
		if err != nil {
			t.Fatal(err)
		}
		got := script.Play(t.Context(), conn, o)
		var said []string
		for _, line := range heard() {
			if words := strings.Fields(line); words[0] == "AUTH" {
				said = append(said, words[1])
			}
		}
		if strings.Join(said, " ") != test.said || len(got.NotSent) != test.notSent {
			t.Errorf("%q with %q: tried %q and left out %q, want %q and %d", test.tries, test.answer, said, got.NotSent, test.said, test.notSent)
		}
	}
}

func password() *replay.Credentials {
	return &replay.Credentials{User: "me", Password: "correct horse"}
}
func token() *replay.Credentials {
	return &replay.Credentials{User: "me", Token: "ya29.A0ARrdaM-very-long"}
}

// What a smarthost repeats of a secret, raw or as it got it, is in no step.
func TestSecretsAreInNoStep(t *testing.T) {
	for mechanism, auth := range map[string]*replay.Credentials{"PLAIN": password(), "LOGIN": password(), "CRAM-MD5": password(), "XOAUTH2": token(), "OAUTHBEARER": token()} {
		secret := auth.Password + auth.Token
		echo := "535 5.7.8 no: " + secret + " " + base64.StdEncoding.EncodeToString([]byte(secret)) + " {line}"
		conn, heard := echoing(t, echo)
		script, err := kept(signing(t, mechanism+" 235")).Script(replay.Options{Auth: auth})
		if err != nil {
			t.Fatal(err)
		}
		got := script.Play(t.Context(), conn, replay.Options{Auth: auth})
		lines := heard()
		for _, line := range lines {
			if _, blob, ok := strings.Cut(line, mechanism+" "); ok && len(blob) > 8 && strings.Contains(fmt.Sprintf("%+v", got), blob) {
				t.Errorf("%s: what was sent (%q) stands in %+v", mechanism, blob, got)
			}
		}
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "AUTH "+mechanism) }) || strings.Contains(fmt.Sprintf("%+v", got), secret) ||
			strings.Contains(fmt.Sprintf("%+v", got), base64.StdEncoding.EncodeToString([]byte(secret))) {
			t.Errorf("%s: got %+v, want an AUTH and no secret (%q)", mechanism, got, lines)
		}
	}
}
