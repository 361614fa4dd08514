package testenv_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
)

func TestAppDelivers(t *testing.T) {
	for _, mech := range []string{"PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER"} {
		for _, mode := range []testenv.AppTLS{testenv.AppPlain, testenv.AppSTARTTLS, testenv.AppImplicit} {
			s := newSmarthost(t, testenv.SmarthostOptions{Implicit: mode == testenv.AppImplicit, User: "u", Password: "p"})
			app := testenv.App{
				Addr: s.Addr(), TLS: mode, Config: testenv.Trust(s.Roots()), Mechanism: mech, User: "u", Password: "p",
				To: []string{"b@y", "550_5.1.1@y"}, Message: []byte(".a\r\n.b"),
			}
			if strings.HasSuffix(mech, "OAUTH2") || mech == "OAUTHBEARER" {
				app.Password = "p"
				s = newSmarthost(t, testenv.SmarthostOptions{Implicit: mode == testenv.AppImplicit})
				app.Addr, app.Config = s.Addr(), testenv.Trust(s.Roots())
			}
			v, err := app.Send(within(t))
			if err != nil || !v.Delivered() {
				t.Errorf("%s %q: got %+v, %v, want a delivery", mech, mode, v, err)
				continue
			}
			if len(v.Accepted) != 1 || len(v.Refused) != 1 {
				t.Errorf("%s %q: got %+v, want one recipient of two", mech, mode, v)
			}
			m := s.Messages()[0]
			if got, want := string(m.Data), ".a\r\n.b\r\n"; got != want || m.User != "u" {
				t.Errorf("%s %q: stored %q of %q, want %q of u", mech, mode, got, m.User, want)
			}
		}
	}
}

func TestAppReportsWhereItWasRefused(t *testing.T) {
	s := newSmarthost(t, testenv.SmarthostOptions{User: "u", Password: "p"})
	tests := []struct {
		name  string
		app   testenv.App
		phase session.Phase
		code  int
	}{
		{"password", testenv.App{User: "u", Password: "q"}, session.PhaseAuth, 535},
		{"sender", testenv.App{From: "mail550_5.1.8@x"}, session.PhaseMail, 550},
		{"recipient", testenv.App{To: []string{"451_4.7.1@x"}}, session.PhaseRcpt, 451},
		{"data", testenv.App{To: []string{"data554_5.6.0@x"}}, session.PhaseData, 554},
		{"dot", testenv.App{To: []string{"dot552_5.3.4@x"}}, session.PhaseDot, 552},
	}
	for _, tt := range tests {
		tt.app.Addr = s.Addr()
		v, err := tt.app.Send(within(t))
		if err != nil || v.Phase != tt.phase || v.Reply.Code != tt.code || v.Delivered() {
			t.Errorf("%s: got %+v, %v, want %d in %s", tt.name, v, err, tt.code, tt.phase)
		}
	}
}

func TestAppSaysARefusedTokenOnce(t *testing.T) {
	tape := newTape(t, `
		<- 220 hello
		-> EHLO app.localhost
		<- 250 AUTH XOAUTH2
		-> AUTH XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIHABAQ==
		<- 334 eyJzdGF0dXMiOiI0MDAifQ==
		->
		<- 535 5.7.8 no
		-> QUIT
		<- 221 bye
	`, testenv.TapeOptions{})
	v, err := testenv.App{Addr: tape.Addr(), Mechanism: "XOAUTH2", User: "u", Password: "p"}.Send(within(t))
	if err != nil || v.Phase != session.PhaseAuth || v.Reply.Code != 535 {
		t.Errorf("got %+v, %v, want 535 in auth", v, err)
	}
	if err := tape.Wait(within(t), 1); err != nil {
		t.Error(err)
	}
}

func TestAppLosesPatience(t *testing.T) {
	tape := newTape(t, "! eof", testenv.TapeOptions{})
	_, err := testenv.App{Addr: tape.Addr(), Patience: time.Millisecond}.Send(within(t))
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want a time-out", err)
	}
}

func TestAppEndsWithItsContext(t *testing.T) {
	reached := make(chan struct{})
	tape := newTape(t, "! call reached\n! eof", testenv.TapeOptions{
		Hooks: map[string]func(context.Context){"reached": func(context.Context) { close(reached) }},
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-reached; cancel() }()
	if _, err := (testenv.App{Addr: tape.Addr()}).Send(ctx); err == nil {
		t.Error("got no error, want the end of the context to end the session")
	}
}

// The same script, played by both sides, tells the same conversation.
func TestAppAndTapePlayTheSameScript(t *testing.T) {
	leaf, roots := testLeaf(t)
	script := `
		<- 220 hello
		-> EHLO me
		<= 250-one\r\n250 STARTTLS\r\n
		-> STARTTLS
		<- 220 go
		! tls
		=> DATA\r\nx\n.\r\n
		<- 250 ok
		! close
	`
	tape := newTape(t, script, testenv.TapeOptions{TLS: serverTLS(leaf)})
	if _, err := (testenv.App{Addr: tape.Addr(), Config: clientTLS(roots), Script: script}).Send(within(t)); err != nil {
		t.Error(err)
	}
	if err := tape.Wait(within(t), 1); err != nil {
		t.Error(err)
	}
}

func TestAppScriptReadsWholeReplies(t *testing.T) {
	s := newSmarthost(t, testenv.SmarthostOptions{})
	script := "<- 220*\n-> EHLO me\n<- 250*\n-> NOOP\n<- 250 2.0.0 Ok\n! shut\n! eof"
	if _, err := (testenv.App{Addr: s.Addr(), Script: script}).Send(within(t)); err != nil {
		t.Error(err)
	}
	_, err := testenv.App{Addr: s.Addr(), Script: "<- 220*\n-> NOOP\n<- 354*"}.Send(within(t))
	if err == nil || !strings.Contains(err.Error(), `got "250 2.0.0 Ok"`) {
		t.Errorf("got %v, want the reply that did not match", err)
	}
}
