package probe_test

import (
	"slices"
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// secret is the password of all tests; no text may hold it.
const secret = "correct-horse-battery"

// account is a script that goes as far as a script can.
func account() probe.Script {
	return probe.Script{User: "me@example.com", Password: secret, From: "me@example.com", To: "you@example.net", Deliver: true}
}

// verbs are the commands of a dialogue, as a smarthost hears them.
func verbs(entries []session.Entry) (said []string) {
	for _, e := range entries {
		if e.Kind == session.KindCommand || e.Kind == session.KindAuth || e.Kind == session.KindData {
			said = append(said, e.Verb)
		}
	}
	return said
}

// TestDialogue goes through a whole session with the sandbox, message and all.
func TestDialogue(t *testing.T) {
	s, err := testenv.NewSandbox(testenv.SandboxOptions{Hostname: host, User: "me@example.com", Password: secret, RequireAuth: true, RequireTLS: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p := newProber(t, rootsOf(s.Roots()), probe.Options{})
	var seen int
	entries := p.Dialogue(t.Context(), target(s.Addr(), upstream.ModeAuto), account(), func(e *session.Entry) {
		if seen++; e.Seq != seen {
			t.Errorf("entry %d has number %d", seen, e.Seq)
		}
	})
	if seen != len(entries) {
		t.Errorf("seen %d entries of %d", seen, len(entries))
	}
	want := []string{"EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", ".", "QUIT"}
	if got := verbs(entries); !slices.Equal(got, want) {
		t.Errorf("said %q, want %q", got, want)
	}
	for _, m := range s.Messages() {
		if !strings.Contains(string(m.Data), "Auto-Submitted: auto-generated\r\n") || m.User != "me@example.com" || !m.Secure {
			t.Errorf("message by %q (secure %t): %q", m.User, m.Secure, m.Data)
		}
	}
	if n := len(s.Messages()); n != 1 {
		t.Errorf("%d messages came, want 1", n)
	}
}
