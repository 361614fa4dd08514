package main

import (
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
)

// TestReproduceOneCommandALine takes records whose commands hold further ones.
// A program that says that it sends no message has none of them.
func TestReproduceOneCommandALine(t *testing.T) {
	const hidden = "DATA\r\n\r\nhidden\r\n.\r\nNOOP"
	for name, test := range map[string]struct {
		command string
		args    []string
		refused bool
	}{
		"two lines":                {"RCPT TO:<b@y>\r\n" + hidden, nil, true},
		"two lines, with leave":    {"RCPT TO:<b@y>\r\n" + hidden, []string{"--deliver"}, true},
		"bare LF":                  {"RCPT TO:<b@y>\nDATA", nil, true},
		"bare CR":                  {"RCPT TO:<b@y>\rDATA", nil, true},
		"bare newline, with leave": {"RCPT TO:<b@y>\nDATA", []string{"--deliver"}, false},
	} {
		for _, format := range []string{"python", "node", "go", "openssl", "swaks", "curl"} {
			r := dialogueOf(t, "EHLO app", "250 mx", "MAIL FROM:<a@x>", "250 ok")
			r.entry(session.Entry{Leg: session.App, From: session.FromApp, Kind: session.KindCommand, Verb: "RCPT", Text: test.command, Phase: session.PhaseRcpt})
			r.upstream("RCPT", "550 no")
			r.keep("full")
			out, errs, code := r.export(append([]string{"--format", format}, test.args...)...)
			if format == "openssl" || format == "swaks" || format == "curl" {
				if test.refused && strings.Contains(string(out), "DATA") {
					t.Errorf("%s, %s: got %q, want it refused", name, format, out)
				}
				continue // they may have other reasons to refuse
			}
			if refused := code != 0; refused != test.refused {
				t.Errorf("%s, %s: got code %d, %q and %s, want it refused: %v", name, format, code, errs, out, test.refused)
			}
		}
	}
}

// A file may call a command what it is not, and have a message in lines.
func TestReproduceReadsVerbs(t *testing.T) {
	r := dialogueOf(t, "EHLO app", "250 mx", "MAIL FROM:<a@x>", "250 ok", "RCPT TO:<b@y>", "250 ok")
	for _, line := range []string{"data", "hidden", ".", "DATA"} {
		r.entry(session.Entry{Leg: session.App, From: session.FromApp, Kind: session.KindCommand, Verb: "NOOP", Text: line, Phase: session.PhaseRcpt})
		verb := strings.ToUpper(strings.Trim(line, "."))
		r.upstream(verb, map[bool]string{true: "451 later", false: "250 ok"}[line == "DATA"])
	}
	r.keep("full")
	out, errs, code := r.export("--format", "python")
	if code != 0 {
		t.Fatalf("got code %d and %s", code, errs)
	}
	if got := calledIn(t, string(out)); strings.Contains(got, `b"data"`) || !strings.HasSuffix(got, "b\"DATA\")\ndrop()") {
		t.Errorf("got %s, want DATA at its end alone", got)
	}
}
