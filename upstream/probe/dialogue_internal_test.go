package probe

import (
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// said plays a caller against what a smarthost says and returns its lines.
func said(s Script, trusted, private bool, words string) (lines []string) {
	a := newCaller(s, "smtp.example.com:587")
	a.met("probe.example.com", trusted)
	a.private = private
	a.hear([]byte(words))
	for line := a.take(); line != nil; line = a.take() {
		lines = append(lines, string(line))
	}
	return lines
}

// TestNoPasswordInClear keeps a password back from a path that anybody may
// listen to.
func TestNoPasswordInClear(t *testing.T) {
	script := Script{User: "me@example.com", Password: "correct-horse"}
	for _, test := range []struct{ trusted, private, want bool }{
		{false, false, false}, {true, false, true}, {false, true, true},
	} {
		lines := said(script, test.trusted, test.private, "220 hi\r\n250-hi\r\n250 AUTH PLAIN\r\n")
		got := slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "AUTH ") })
		if got != test.want {
			t.Errorf("trusted %t, under TLS %t: signs in %t, want %t: %q", test.trusted, test.private, got, test.want, lines)
		}
	}
}

// TestOneDigest answers one challenge: more of them, chosen by the other side,
// would help it to guess the password.
func TestOneDigest(t *testing.T) {
	script := Script{User: "me@example.com", Password: "correct-horse"}
	lines := said(script, true, false, "220 hi\r\n250-hi\r\n250 AUTH CRAM-MD5\r\n334 PDFAYT4=\r\n334 PDJAYT4=\r\n334 PDNAYT4=\r\n")
	if len(lines) < 4 || lines[1] != "AUTH CRAM-MD5\r\n" || len(lines[2]) < 40 || lines[3] != "*\r\n" {
		t.Errorf("got %q, want one digest, and the second challenge cancelled", lines)
	}
}

// TestNoWayToSignIn blames the smarthost for nothing that this program lacks.
func TestNoWayToSignIn(t *testing.T) {
	for offer, want := range map[string]string{
		"AUTH SCRAM-SHA-256 GSSAPI": "on offer: SCRAM-SHA-256, GSSAPI; not tried: this program signs in with a password by PLAIN, LOGIN, CRAM-MD5 only",
		"AUTH XOAUTH2":              "on offer: XOAUTH2; not tried: this program signs in with a password by PLAIN, LOGIN, CRAM-MD5 only",
		"8BITMIME":                  "no mechanism on offer",
	} {
		a := newCaller(Script{User: "me@example.com", Password: "correct-horse"}, "smtp.example.com:587")
		a.private = true
		a.hear([]byte("220 hi\r\n250-hi\r\n250 " + offer + "\r\n"))
		if got := a.skips[partAuth]; got != want {
			t.Errorf("%s: got %q, want %q", offer, got, want)
		}
	}
}

// FuzzCaller plays scripts against any words of a smarthost. Whatever those
// are, the caller says no more than its script: one sign-in, no recipient
// without a sender, no message that was not asked for, and never a line that
// the script has smuggled in.
func FuzzCaller(f *testing.F) {
	f.Add("220 hi\r\n250-hi\r\n250 AUTH PLAIN LOGIN\r\n235 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n221 bye\r\n", "me", "a@b", "c@d", true)
	f.Add("220 hi\r\n250-hi\r\n250 AUTH LOGIN\r\n334 x\r\n334 VXNlcg==\r\n334 UGFzcw==\r\n334 UGFzcw==\r\n535 no\r\n", "me", "", "c@d", true)
	f.Add("220-hi\r\n220 hi\r\n502 what\r\n250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n", "", "a@b>\r\nDATA", "c@d", false)
	f.Fuzz(func(t *testing.T, words, user, from, to string, deliver bool) {
		s := Script{User: user, Password: "correct-horse", From: from, To: to, Deliver: deliver}
		lines := said(s, true, false, words)
		counts := map[string]int{}
		for _, line := range lines {
			if !strings.HasSuffix(line, "\r\n") {
				t.Errorf("%q does not end", line)
			}
			verb, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			if counts[verb]++; strings.Count(line, "\n") > 1 && counts["DATA"] == 0 {
				t.Errorf("%q is more than one line", line)
			}
		}
		for verb, most := range map[string]int{
			"AUTH": len(user), "MAIL": len(from), "RCPT": min(len(from), len(to)), "DATA": min(len(from), len(to), len(map[bool]string{true: "x"}[deliver])),
		} {
			if got := counts[verb]; got > min(1, most) {
				t.Errorf("%s was said %d times, want at most %d, in answer to %q: %q", verb, got, min(1, most), words, lines)
			}
		}
		if len(lines) > 12+maxRounds {
			t.Errorf("%d lines in answer to %q: %q", len(lines), words, lines)
		}
	})
}

// TestGreetingForHello tells the greeting of SMTP, in answer to a TLS hello,
// from anything else.
func TestGreetingForHello(t *testing.T) {
	fault := func(class session.FaultClass, first string) *session.Fault {
		return &session.Fault{Class: class, First: []byte(first)}
	}
	for want, list := range map[bool][]*session.Fault{
		true:  {fault(session.FaultNotTLS, "220 mx.example.com ESMTP\r\n"), fault(session.FaultNotTLS, "220-wait\r\n220 ")},
		false: {nil, fault(session.FaultNotTLS, "HTTP/1.1 400"), fault(session.FaultNotTLS, "554 no\r\n"), fault(session.FaultAlert, "220 no"), fault(session.FaultNotTLS, "")},
	} {
		for _, f := range list {
			if got := greets(f); got != want {
				t.Errorf("%+v greets: %t, want %t", f, got, want)
			}
		}
	}
}

// TestLetter checks the test message: whole lines, none of them a lone dot, and
// no address but those of the script.
func TestLetter(t *testing.T) {
	a := newCaller(Script{From: "me@example.com", To: "you@example.net"}, "smtp.example.com:587")
	a.met("[IPv6:::1]", true)
	letter := a.letter()
	for line := range strings.SplitSeq(strings.TrimSuffix(letter, "\r\n"), "\r\n") {
		if strings.HasPrefix(line, ".") || len(line) > 78 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line %q", line)
		}
	}
	if !strings.Contains(letter, "From: <me@example.com>\r\nTo: <you@example.net>\r\n") {
		t.Errorf("letter %q", letter)
	}
}

// TestChangesOf words what the second EHLO of a session has other than the
// first.
func TestChangesOf(t *testing.T) {
	before := []string{"SIZE 100", "STARTTLS"}
	for want, after := range map[string][]string{
		"the same on offer":                                     {"STARTTLS", "SIZE 100"},
		"the same on offer, less STARTTLS":                      {"SIZE 100"},
		"the same on offer, and AUTH PLAIN":                     {"SIZE 100", "STARTTLS", "AUTH PLAIN"},
		"now on offer AUTH PLAIN; no longer SIZE 100, STARTTLS": {"AUTH PLAIN"},
	} {
		if got := changesOf(before, after); got != want {
			t.Errorf("from %q to %q: got %q, want %q", before, after, got, want)
		}
	}
}

// TestSlowGreeting warns of a greeting that some apps do not wait for.
func TestSlowGreeting(t *testing.T) {
	var lines []Line
	d := New(Options{}).newDialogue(upstream.Target{Name: "smtp.example.com:25"}, Script{})
	l := newLadder(d, func(l Line) { lines = append(lines, l) })
	l.see(&session.Entry{Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindGreeting, Phase: session.PhaseGreeting, Code: 220, Text: "220 hi", Wait: 7 * time.Second})
	if len(lines) != 1 || lines[0].Status != StatusWarn || !strings.Contains(lines[0].Text, "after 7s") {
		t.Errorf("lines %+v, want a warning", lines)
	}
}
