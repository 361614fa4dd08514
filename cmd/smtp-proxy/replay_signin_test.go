package main

import (
	"strings"
	"testing"

	"smtp-proxy/inspect"
	"smtp-proxy/upstream"
)

// TestReplaySealsSecrets wants no password in clear at a smarthost that is not
// the recorded one.
func TestReplaySealsSecrets(t *testing.T) {
	for _, test := range []struct {
		user, where, tls string
		want             upstream.Mode
	}{
		{"me", "mx.example.com:587", asRecorded, upstream.ModeSTARTTLS},
		{"me", "mx.example.com:465", asRecorded, upstream.ModeAuto}, // which is TLS there
		{"me", "smtps://mx.example.com:2465", asRecorded, upstream.ModeImplicit},
		{"me", "mx.example.com:25", "none", upstream.ModeNone},
		{"me", "mx.example.com:25", "auto", upstream.ModeAuto},
		{"me", "localhost:25", asRecorded, upstream.ModeAuto},
		{"", "mx.example.com:587", asRecorded, upstream.ModeAuto},
	} {
		r := newRepetition()
		r.user, r.config.Upstream, r.config.UpstreamTLS = test.user, test.where, test.tls
		x := &replayer{program: newProgram(), r: r}
		s := &inspect.Session{Upstream: inspect.UpstreamLeg{Name: "mx.example.net:25"}}
		to, err := x.place(s, mirrorOf(nil))
		if err != nil || to.target.Mode != test.want {
			t.Errorf("%+v: got %q, %v, want %q", test, to.target.Mode, err, test.want)
		}
	}
}

// TestReplayTrustsNoFile wants a password to go nowhere on a file's word.
func TestReplayTrustsNoFile(t *testing.T) {
	s := &inspect.Session{Upstream: inspect.UpstreamLeg{Name: "mx.example.net\x1b:25"}}
	r := newRepetition()
	r.user = "me"
	for id, want := range map[string]bool{"x.jsonl": true, "-": true, "latest": false, "01JD8Z": false} {
		err := r.checkTrust(s, id)
		if (err != nil) != want || err != nil && strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: got %v, want it refused: %v", id, err, want)
		}
	}
	for _, here := range []string{"sandbox:4711", "127.0.0.1:25", "[::1]:25", "localhost:2525"} {
		s := &inspect.Session{Upstream: inspect.UpstreamLeg{Name: here}}
		if err := r.checkTrust(s, "x.jsonl"); err != nil {
			t.Errorf("%s: got %v, want none", here, err)
		}
	}
	r.config.Upstream = "mx.example.net:25"
	if err := r.checkTrust(s, "x.jsonl"); err != nil {
		t.Errorf("named by --upstream: got %v, want none", err)
	}
}
