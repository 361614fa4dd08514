package diagnose_test

import (
	"os"
	"strings"
	"testing"

	"smtp-proxy/inspect/diagnose"
)

// What people paste gets the cause that the file says, and sound advice.
func TestExplainPastedText(t *testing.T) {
	text, err := os.ReadFile("testdata/replies.txt")
	if err != nil {
		t.Fatal(err)
	}
	e := engine(t, diagnose.Options{})
	for line := range strings.Lines(string(text)) {
		want, reply, ok := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		if !ok {
			continue
		}
		got := e.Explain(reply, "")
		if len(got) == 0 || got[0].Cause != want {
			rule := ""
			if len(got) > 0 {
				rule = got[0].Rule
			}
			t.Errorf("%s: got %q (%s), want %s", reply, causes(got), rule, want)
			continue
		}
		if f := got[0]; f.Retry.Advice == "" || f.Title == "" || len(f.Fix) == 0 || f.Evidence[0].Text == "" {
			t.Errorf("%s: incomplete: %+v", reply, f)
		}
	}
}

func TestExplainNeedsAFailure(t *testing.T) {
	e := engine(t, diagnose.Options{})
	for _, text := range []string{"", "hello", "250 2.0.0 Ok: queued as 12345", "354 go ahead", "220 mx ESMTP", "the quick brown fox"} {
		if got := e.Explain(text, ""); len(got) != 0 {
			t.Errorf("Explain(%q) = %s, want nothing", text, causes(got))
		}
	}
}

// The smarthost's name tells whose words they are when the words do not.
func TestExplainWithUpstream(t *testing.T) {
	e := engine(t, diagnose.Options{})
	got := e.Explain("535 Authentication Credentials Invalid", "email-smtp.eu-west-1.amazonaws.com:587")
	if causes(got) == "" || got[0].Cause != "auth.wrong-credential-kind" {
		t.Errorf("got %q, want auth.wrong-credential-kind first", causes(got))
	}
	got = e.Explain("454 4.7.1 Relay access denied", "smtps://mx.example.com:465")
	if !strings.Contains(got[0].Title, "mx.example.com") {
		t.Errorf("title %q does not name the host", got[0].Title)
	}
}

// A bounce quotes somebody else: the finding says whose words they are.
func TestExplainNamesTheSpeaker(t *testing.T) {
	e := engine(t, diagnose.Options{})
	got := e.Explain("<bob@example.net>: host mx.example.net[192.0.2.9] said: 550 5.1.1 User unknown (in reply to RCPT TO command)", "smtp.example.com")
	if len(got) == 0 || !strings.Contains(strings.Join(got[0].RuledOut, " "), "mx.example.net") || !strings.Contains(got[0].Title, "bob@example.net") {
		t.Errorf("got %+v, want one that names mx.example.net and bob@example.net", got)
	}
}

func TestExplainUnknownWords(t *testing.T) {
	e := engine(t, diagnose.Options{})
	for text, want := range map[string]string{"459 Zut": "unclassified.temporary", "557 Zut alors": "unclassified.permanent"} {
		if got := e.Explain(text, ""); causes(got) != want {
			t.Errorf("Explain(%q) = %s, want %s", text, causes(got), want)
		}
	}
}

func TestMask(t *testing.T) {
	for text, want := range map[string]string{
		"AUTH PLAIN AGFwcABodW50ZXIyMjI=":                  "AUTH PLAIN ***",
		"535 5.7.8 failed for smtp://me:hunter22@mx:587":   "535 5.7.8 failed for smtp://me:***@mx:587",
		"password=hunter22 refused":                        "password=*** refused",
		"Authorization: SG.abcdefghijklmnopqrstuv refused": "Authorization: *** refused",
		"user AKIAABCDEFGHIJKLMNOP":                        "user ***",
		"535 5.7.8 Username and Password not accepted":     "535 5.7.8 Username and Password not accepted",
		"550 5.1.1 <bob@example.net>: User unknown":        "550 5.1.1 <bob@example.net>: User unknown",
	} {
		if got := diagnose.Mask(text); got != want {
			t.Errorf("Mask(%q) = %q, want %q", text, got, want)
		}
	}
}

// Whatever is pasted, Explain returns, finds causes of the catalogue only, and
// leaves no placeholder in its words.
func FuzzExplain(f *testing.F) {
	for _, seed := range []string{"550 5.1.1 User unknown", "550-a\\n550 b", "(535, b'5.7.8 no')", "host a.b said: 421 x", "dsn=4.4.1", "\x00\xff", "5.1.1"} {
		f.Add(seed)
	}
	e := engine(f, diagnose.Options{})
	f.Fuzz(func(t *testing.T, text string) {
		for _, x := range e.Explain(text, "mx.example.com:587") {
			if x.Cause == "" || x.Title == "" || strings.Contains(x.Title, "{") && !strings.Contains(text, "{") {
				t.Errorf("Explain(%q): %+v", text, x)
			}
		}
	})
}

func BenchmarkExplain(b *testing.B) {
	e := engine(b, diagnose.Options{})
	const reply = `550-5.7.26 This mail has been blocked because the sender is unauthenticated.\n550-5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM.\n550 5.7.26 https://support.google.com/mail/answer/81126#authentication x9 - gsmtp`
	e.Explain(reply, "")
	for b.Loop() {
		e.Explain(reply, "")
	}
}
