package main

import (
	"bytes"
	"net"
	"strings"
	"testing"

	"smtp-proxy/testenv"
)

// TestReproduceInGo builds and runs the program in Go of sessions with faults
// of every phase: it reaches the phase that was recorded, with the code, and
// delivers nothing that the recorded failure did not need.
func TestReproduceInGo(t *testing.T) {
	for _, name := range []string{
		"auth.bad-credentials", "auth.malformed-exchange", "connect.refused", "connect.reset", "connect.not-smtp/ssh",
		"protocol.invalid-reply/endless-ehlo", "recipient.unknown", "tls.certificate-expired",
		"tls.certificate-name-mismatch", "tls.starttls-refused", "message.spam",
	} {
		t.Run(name, func(t *testing.T) {
			f, err := testenv.StartFault(name, testenv.FaultOptions{Host: "localhost"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			h := newScene(t, f)
			for range f.Sends {
				h.send(f.App)
			}
			h.reproduces()
		})
	}
}

// reproduces wants the newest session to come out as it was recorded.
func (h *scene) reproduces(args ...string) {
	h.t.Helper()
	program, err := h.export(append([]string{"--format", "go"}, args...)...)
	if err != nil {
		h.t.Fatal(err)
	}
	recorded := recordedLine.FindStringSubmatch(program)
	if recorded == nil {
		h.t.Fatalf("got no line of what was recorded in\n%.900s", program)
	}
	before := h.taken()
	dialogue, last, code := h.golang(program)
	if !strings.HasPrefix(last, "reached "+recorded[1]) {
		h.t.Errorf("got %q as the last line, want %q\n%s", last, "reached "+recorded[1], dialogue)
	}
	if word := strings.Fields(recorded[1])[1]; (code == 0) != (word[0] == '2' || word[0] == '3') {
		h.t.Errorf("got exit code %d with %q", code, last)
	}
	if after := h.taken(); after != before {
		h.t.Errorf("the smarthost took %d messages of the program, want none", after-before)
	}
}

// healthy is a smarthost under STARTTLS where nothing fails.
func healthy(t *testing.T, app testenv.App) *testenv.Fault {
	t.Helper()
	s, err := testenv.NewSmarthost(testenv.SmarthostOptions{Host: "localhost", User: app.User, Password: app.Password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	_, port, err := net.SplitHostPort(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return &testenv.Fault{Upstream: net.JoinHostPort("localhost", port), Roots: s.Roots(), Smarthost: s, App: app}
}

// TestReproduceSignsIn signs in with the secret from the environment, stops
// before the message, and with --deliver sends it octet for octet.
func TestReproduceSignsIn(t *testing.T) {
	for _, mechanism := range []string{"PLAIN", "LOGIN", "CRAM-MD5"} {
		t.Run(mechanism, func(t *testing.T) {
			f := healthy(t, testenv.App{
				Mechanism: mechanism, User: `b"o$b`, Password: "planted-hunter2-pässword", Message: []byte("Subject: x\r\n\r\n..dot\r\nend"),
			})
			h := newScene(t, f)
			h.send(f.App)
			h.reproduces()
			if program, _ := h.export("--format", "go"); strings.Contains(program, "hunter2") {
				t.Errorf("got the password in\n%s", program)
			}
			if mechanism == "PLAIN" {
				h.delivers()
			}
		})
	}
}

// delivers wants --deliver to send the message again, octet for octet.
func (h *scene) delivers() {
	h.t.Helper()
	program, err := h.export("--format", "go", "--deliver")
	if err != nil {
		h.t.Fatal(err)
	}
	dialogue, last, code := h.golang(program)
	all := h.fault.Smarthost.Messages()
	if code != 0 || !strings.HasPrefix(last, "reached DOT: 250") || len(all) != 2 {
		h.t.Fatalf("got code %d, %q and %d messages, want the second delivered\n%s", code, last, len(all), dialogue)
	}
	if !bytes.Equal(all[1].Data, all[0].Data) {
		h.t.Errorf("got the message %q, want %q", all[1].Data, all[0].Data)
	}
}
