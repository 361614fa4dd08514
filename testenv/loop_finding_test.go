package testenv_test

import (
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/testenv"
)

func newEngine(t *testing.T) *diagnose.Engine {
	t.Helper()
	set, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	return diagnose.New(set, diagnose.Options{Built: time.Now().Add(-time.Hour)})
}

// found returns the first finding's cause, or nothing.
func found(e *diagnose.Engine, s *inspect.Session) string {
	findings := e.Annotate(s)
	if len(findings) == 0 {
		return ""
	}
	return findings[0].Cause
}

// The failures that people meet most come back from the relay as what was
// provoked.
func TestCommonFaultsAreUnderstood(t *testing.T) {
	engine := newEngine(t)
	for _, name := range []string{
		"connect.refused", "connect.dns-no-such-host", "connect.dns-failure", "connect.not-smtp",
		"tls.certificate-expired", "tls.certificate-name-mismatch", "tls.certificate-self-signed",
		"tls.certificate-untrusted", "tls.chain-incomplete", "tls.not-offered", "tls.plaintext-expected",
		"auth.bad-credentials", "auth.app-password-required", "sender.not-verified", "relay.denied",
		"recipient.unknown", "recipient.greylisted", "rate.messages", "message.too-large",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startFault(t, name)
			sessions := startLoop(t, f).run(t, f)
			last := sessions[len(sessions)-1]
			if got := found(engine, last); got != f.Cause {
				t.Errorf("found %q, want %q in\n%s", got, f.Cause, transcript(last))
			}
		})
	}
}

// Nothing is found where nothing is wrong, whoever the smarthost is.
func TestHealthySessionsHaveNoFinding(t *testing.T) {
	engine := newEngine(t)
	for _, persona := range testenv.Personas() {
		s := newSmarthost(t, testenv.SmarthostOptions{Persona: persona})
		f := &testenv.Fault{Upstream: s.Addr(), Roots: s.Roots(), App: testenv.App{User: "u", Password: "p"}, Sends: 1}
		got := startLoop(t, f).run(t, f)
		if cause := found(engine, got[0]); cause != "" {
			t.Errorf("%s: found %q, want nothing in\n%s", persona, cause, transcript(got[0]))
		}
	}
}
