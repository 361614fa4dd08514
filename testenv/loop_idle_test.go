package testenv_test

import (
	"testing"

	"smtp-proxy/inspect"
	"smtp-proxy/testenv"
)

// delivery is the upstream's side of a session that went well up to its end.
const delivery = "<- 220 mail.example.com ESMTP\n-> EHLO*\n<- 250 mail.example.com\n-> MAIL*\n<- 250 ok\n-> RCPT*\n<- 250 ok\n" +
	"-> DATA\n<- 354 go ahead\n! data\n<- 250 2.0.0 queued\n"

// An app may keep its connection for the next mail, and a smarthost may tire
// of waiting: whoever ends an idle connection, nothing has failed.
func TestIdleConnectionsEndWithoutAFinding(t *testing.T) {
	engine := newEngine(t)
	for name, end := range map[string]struct{ upstream, app string }{
		"a time-out that is announced":    {"<- 421 4.4.2 mail.example.com Error: timeout exceeded\n! close", "<- 421*\n! eof"},
		"a time-out without a word":       {"! close", "! eof"},
		"a reset":                         {"! reset", "! eof"},
		"a reset behind the goodbye":      {"-> QUIT\n<- 221 bye\n! reset", bye + "! eof"},
		"a close in place of the goodbye": {"-> QUIT\n! close", "-> QUIT\n! eof"},
	} {
		tape := newTape(t, delivery+end.upstream, testenv.TapeOptions{})
		f := &testenv.Fault{Upstream: tape.Addr(), Sends: 1}
		f.Relay.UpstreamTLS = "none"
		f.App.Script = "<- 220*\n" + hello + envelope + message + end.app
		got := startLoop(t, f).run(t, f)[0]
		if err := tape.Wait(within(t), 1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if wantHealthy(t, engine, got); got.Outcome != inspect.Delivered {
			t.Errorf("%s: got outcome %s, want delivered\n%s", name, got.Outcome, transcript(got))
		}
	}
}

// The relay ends an app's idle connection itself, and that is no failure
// either.
func TestAnAppThatForgetsItsConnectionHasNoFinding(t *testing.T) {
	s := newSmarthost(t, testenv.SmarthostOptions{})
	f := &testenv.Fault{Upstream: s.Addr(), Roots: s.Roots(), Sends: 1}
	f.App.Script = "<- 220*\n" + hello + envelope + message + "<- 421*\n! eof"
	if err := f.Relay.AppTimeout.UnmarshalText([]byte("500ms")); err != nil {
		t.Fatal(err)
	}
	got := startLoop(t, f).run(t, f)[0]
	if wantHealthy(t, newEngine(t), got); got.Outcome != inspect.Delivered {
		t.Errorf("got outcome %s, want delivered\n%s", got.Outcome, transcript(got))
	}
}
