package probe_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// account is a script that goes as far as a script can.
func account() probe.Script {
	return probe.Script{User: "me@example.com", Password: secret, From: "me@example.com", To: "you@example.net", Deliver: true}
}

// verbs are the commands of a dialogue, in their order.
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

// TestScripts compares what the smarthost hears with what scripts say, and
// proves above all what it does not hear.
func TestScripts(t *testing.T) {
	const from, to = "me@example.com", "you@example.net"
	tests := []struct {
		name   string
		script probe.Script
		says   map[string]string
		want   []string
	}{
		{"nothing", probe.Script{}, nil, []string{"EHLO", "QUIT"}},
		{"a sender", probe.Script{From: from}, nil, []string{"EHLO", "MAIL FROM:<me@example.com>", "RSET", "QUIT"}},
		{"a recipient without a sender", probe.Script{To: to, Deliver: true}, nil, []string{"EHLO", "QUIT"}},
		{"both", probe.Script{From: from, To: to}, nil, []string{"EHLO", "MAIL FROM:<me@example.com>", "RCPT TO:<you@example.net>", "RSET", "QUIT"}},
		{"a message without a recipient", probe.Script{From: from, Deliver: true}, nil, []string{"EHLO", "MAIL FROM:<me@example.com>", "RSET", "QUIT"}},
		{"a message", probe.Script{From: from, To: to, Deliver: true}, nil, []string{"EHLO", "MAIL FROM:<me@example.com>", "RCPT TO:<you@example.net>", "DATA", "QUIT"}},
		{"a refused recipient", probe.Script{From: from, To: to, Deliver: true}, map[string]string{"RCPT": "550 5.1.1 no"}, []string{"EHLO", "MAIL FROM:<me@example.com>", "RCPT TO:<you@example.net>", "QUIT"}},
		{"a refused sender", probe.Script{From: from, To: to}, map[string]string{"MAIL": "550 no"}, []string{"EHLO", "MAIL FROM:<me@example.com>", "QUIT"}},
		{"a refused greeting", probe.Script{From: from}, map[string]string{"": "554 no"}, []string{"QUIT"}},
		{"a greeting that hangs up", probe.Script{From: from}, map[string]string{"": "421 no"}, nil},
		{"no EHLO", probe.Script{From: from}, map[string]string{"EHLO": "502 what"}, []string{"EHLO", "HELO", "MAIL FROM:<me@example.com>", "RSET", "QUIT"}},
		{"an address beyond ASCII", probe.Script{From: "j\u00fcrgen@example.com"}, nil, []string{"EHLO", "MAIL FROM:<j\u00fcrgen@example.com>", "RSET", "QUIT"}},
		{"the same where that is on offer", probe.Script{From: from, To: "j\u00fcrgen@example.net"}, map[string]string{"EHLO": "250-hi\r\n250 SMTPUTF8"}, []string{"EHLO", "MAIL FROM:<me@example.com> SMTPUTF8", "RCPT TO:<j\u00fcrgen@example.net>", "RSET", "QUIT"}},
		{"commands inside an address", probe.Script{From: "a@b>\r\nDATA\r\n", To: to}, nil, []string{"EHLO", "QUIT"}},
		{"commands inside a recipient", probe.Script{From: from, To: "a@b\nDATA"}, nil, []string{"EHLO", "MAIL FROM:<me@example.com>", "RSET", "QUIT"}},
		{"commands inside a name", probe.Script{Name: "x\r\nDATA"}, nil, []string{"EHLO", "QUIT"}},
	}
	for _, test := range tests {
		l := listen(t, test.says)
		newProber(t, nil, probe.Options{Name: "probe.example.com"}).Dialogue(t.Context(), target(l.Addr().String(), upstream.ModeNone), test.script, nil)
		got := l.heard()
		for i, line := range got {
			got[i] = strings.TrimSuffix(line, " probe.example.com")
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: the smarthost heard %q, want %q", test.name, got, test.want)
		}
	}
}

// examine takes the dialogue of a check and returns its lines by part; of two
// about the same part the last counts.
func examine(ctx context.Context, p *probe.Prober, to upstream.Target, s probe.Script) (parts map[string]probe.Line, r probe.Report) {
	parts = map[string]probe.Line{}
	r = p.Check(ctx, to, probe.Wanted{Steps: []string{"dialogue"}, Script: s}, func(l probe.Line) {
		if l.Step != "dns" {
			parts[l.Step] = l
		}
	})
	return parts, r
}

// TestHealthyDialogue goes through a session with each persona: no part of it
// is less than well.
func TestHealthyDialogue(t *testing.T) {
	for _, persona := range testenv.Personas() {
		s := start(t, testenv.SmarthostOptions{Persona: persona})
		parts, _ := examine(t.Context(), newProber(t, rootsOf(s.Roots()), probe.Options{}), target(s.Addr(), upstream.ModeAuto), account())
		for _, part := range []string{"connect", "greeting", "ehlo", "starttls", "tls", "certificate", "auth", "mail", "rcpt", "delivery"} {
			if l := parts[part]; l.Status != probe.StatusOK || l.Text == "" {
				t.Errorf("%s: %s is %q: %q", persona, part, l.Status, l.Text)
			}
		}
		if n := len(s.Messages()); n != 1 {
			t.Errorf("%s: %d messages came, want 1", persona, n)
		}
	}
}

// TestSkippedParts says why parts of a session were left out.
func TestSkippedParts(t *testing.T) {
	s := start(t, testenv.SmarthostOptions{})
	p := newProber(t, rootsOf(s.Roots()), probe.Options{})
	tests := []struct {
		part, says string
		script     probe.Script
	}{
		{"auth", "on offer: PLAIN, LOGIN, CRAM-MD5; no user given", probe.Script{}},
		{"auth", "does not know SCRAM-SHA-256", probe.Script{User: "u", Password: "p", Mechanism: "scram-sha-256"}},
		{"auth", "none of them takes an OAuth token", probe.Script{User: "u", Token: "t"}},
		{"mail", "no sender given", probe.Script{}},
		{"mail", "control character", probe.Script{From: "a\r\nb"}},
		{"rcpt", "no recipient given", probe.Script{From: "a@example.com"}},
		{"delivery", "none was asked for", probe.Script{From: "a@example.com", To: "b@example.net"}},
	}
	for _, test := range tests {
		parts, _ := examine(t.Context(), p, target(s.Addr(), upstream.ModeAuto), test.script)
		if l := parts[test.part]; l.Status != probe.StatusSkip || !strings.Contains(l.Text, test.says) {
			t.Errorf("%s of %+v: %q %q, want it skipped, and %q", test.part, test.script, l.Status, l.Text, test.says)
		}
	}
}
