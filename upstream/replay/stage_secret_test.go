package replay_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"smtp-proxy/upstream/replay"
)

// An app that mistakes one mechanism for another has its secret where the user
// name should be. It is in no report.
func TestStageReportsNoSecret(t *testing.T) {
	const secret = "s3cr3t-of-the-app"
	signIn := func(mechanism, words string) string {
		encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
		return "<- 220*\n-> EHLO app\n<- 250*\n-> AUTH " + mechanism + " " + encode(words) + "\n<- *\n-> " + encode(secret) + "\n<- *\n-> QUIT\n<- *"
	}
	for name, talk := range map[string]string{
		"PLAIN for LOGIN":        signIn("LOGIN", "\x00app\x00"+secret),
		"PLAIN for CRAM-MD5":     signIn("CRAM-MD5", "\x00app\x00"+secret+" and more"),
		"a password for an HMAC": signIn("CRAM-MD5", secret+" and more"),
		"a bare token":           signIn("XOAUTH2", secret),
		"a token and its end":    signIn("XOAUTH2", "auth=Bearer "+secret+"\x01\x01"),
	} {
		for _, recorded := range []string{"login", "challenge"} {
			s := serve(t, replay.StageOptions{Fast: true}, recordTalk(t, talks[recorded]))
			_ = s.say(t, talk) // how it ends is the recording's affair
			if told := strings.Join(s.told(), "\n"); strings.Contains(told, secret) || told == "" {
				t.Errorf("%s, %s: got %q, want differences without the secret", name, recorded, told)
			}
		}
	}
}

// A secret may stand where the mechanism should.
func TestStageReportsNoSecretMechanism(t *testing.T) {
	s := serve(t, replay.StageOptions{Fast: true}, recordTalk(t, talks["login"]))
	for word, want := range map[string]string{"czNjcjN0": "whose name is none", "GSSAPI": "AUTH GSSAPI", "ntlm": "AUTH NTLM"} {
		_ = s.say(t, "<- 220*\n-> EHLO app\n<- 250*\n-> AUTH "+word+"\n<- 504*\n-> QUIT\n<- *")
		if told := strings.Join(s.told(), "\n"); strings.Contains(strings.ToUpper(told), "CZNJCJN0") || !strings.Contains(told, want) {
			t.Errorf("AUTH %s: got %q, want %q", word, told, want)
		}
	}
}
