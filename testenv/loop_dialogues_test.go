package testenv_test

import (
	"os"
	"strings"
	"testing"

	"smtp-proxy/inspect"
	"smtp-proxy/testenv"
)

// The usual lines of an app.
const (
	hello    = "-> EHLO app.localhost\n<- 250*\n"
	envelope = "-> MAIL FROM:<app@example.com>\n<- 250*\n-> RCPT TO:<user@example.net>\n<- 250*\n"
	message  = "-> DATA\n<- 354*\n=> Subject: hello\\r\\n\\r\\nHello.\\r\\n.\\r\\n\n<- 250*\n"
	bye      = "-> QUIT\n<- 221*\n"
)

// wordless is leaving without a word. Right behind a handshake of the app it
// looks the same as an app that does not like the certificate.
const wordless = "! close"

// readDialogues returns the scripts of testdata/dialogues.txt.
func readDialogues(t *testing.T) (all []healthy) {
	t.Helper()
	text, err := os.ReadFile("testdata/dialogues.txt")
	if err != nil {
		t.Fatal(err)
	}
	usual := strings.NewReplacer("{hello}\n", hello, "{envelope}\n", envelope, "{message}\n", message, "{bye}\n", bye)
	for i, part := range strings.Split("\n"+string(text), "\n== ") {
		if i == 0 {
			continue // what the file is about
		}
		head, script, _ := strings.Cut(part, "\n")
		name, outcome, _ := strings.Cut(head, ": ")
		all = append(all, healthy{name, testenv.App{Script: usual.Replace(script + "\n")}, inspect.Outcome(outcome)})
	}
	if len(all) < 30 {
		t.Fatalf("got %d dialogues, want 30 at least", len(all))
	}
	return all
}

// dialogues returns every fifth of them, from the nth on, for an app that
// secures its leg so: each meets many settings, and all of them some.
func dialogues(t *testing.T, how setting, n int) (some []healthy) {
	t.Helper()
	begin := "<- 220*\n"
	if how.appTLS == testenv.AppSTARTTLS {
		begin += hello + "-> STARTTLS\n<- 220*\n! tls\n"
	}
	for i, d := range readDialogues(t) {
		unclear := strings.TrimSpace(d.app.Script) == wordless && how.appTLS != testenv.AppPlain
		if (i+n)%5 != 0 || unclear {
			continue
		}
		d.app.Script = begin + d.app.Script
		some = append(some, d)
	}
	return some
}
