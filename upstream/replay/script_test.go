package replay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream/replay"
)

// kept is a recording whose messages were kept.
func kept(entries []session.Entry, bodies ...string) replay.Recording {
	return replay.Recording{
		ID: "1", Entries: entries,
		Captured: func(int) string { return "full" },
		Body: func(_ context.Context, n int) (io.ReadCloser, error) {
			if n >= len(bodies) {
				return nil, replay.ErrNoBody
			}
			return io.NopCloser(strings.NewReader(bodies[n])), nil
		},
	}
}

// session of the usual lines with some in the middle.
func within(t *testing.T, lines ...string) []session.Entry {
	t.Helper()
	return history(t, slices.Concat([]string{"<- 220 mx ESMTP", "-> EHLO me", "<- 250 mx"}, lines, []string{"-> QUIT", "<- 221 2.0.0 bye"})...)
}

func mail(lines ...string) []string {
	return append([]string{"-> MAIL FROM:<a@example.com>", "<- 250 2.1.0 ok", "-> RCPT TO:<b@example.net>", "<- 250 2.1.5 ok"}, lines...)
}

func sent() []string { return mail("-> DATA", "<- 354 go on", ".. hello\r\n", "<- 250 2.0.0 queued") }

func TestScript(t *testing.T) {
	to := replay.Options{To: []string{"me@example.org"}}
	all := replay.Options{Deliver: true}
	const m, r = "MAIL FROM:<a@example.com>", "RCPT TO:<b@example.net>"
	for _, test := range []struct {
		name    string
		lines   []string
		options replay.Options
		want    string // groups
		notSent string // of each the beginning
	}{
		{"dry", sent(), replay.Options{}, m + "|" + r + "|RSET", "DATA: a dry"},
		{"delivered", sent(), all, m + "|" + r + "|DATA|.", ""},
		{"to another", sent(), to, m + "|RCPT TO:<me@example.org>|DATA|.", ""},
		{"to two others", sent(), replay.Options{To: []string{"x@y.z", "p@q.r"}}, m + "|RCPT TO:<x@y.z>|RCPT TO:<p@q.r>+DATA|.", ""},
		{"to goes before deliver", sent(), replay.Options{To: []string{"x@y.z"}, Deliver: true}, m + "|RCPT TO:<x@y.z>|DATA|.", ""},
		{"a group", []string{"-> MAIL FROM:<a@example.com>", "-> RCPT TO:<b@example.net>", "-> DATA", "<- 250 ok", "<- 250 ok", "<- 354 go", ".. x\r\n", "-> NOOP", "<- 250 queued", "<- 250 ok"},
			all, m + "+" + r + "+DATA|.+NOOP", ""},
		{"a group, dry", []string{"-> MAIL FROM:<a@example.com>", "-> RCPT TO:<b@example.net>", "-> DATA", "<- 250 ok", "<- 250 ok", "<- 354 go", ".. x\r\n", "-> NOOP", "<- 250 queued", "<- 250 ok"},
			replay.Options{}, m + "+" + r + "+RSET|NOOP", "DATA: a dry"},
		{"half of a group answered", []string{"-> MAIL FROM:<a@example.com>", "-> RCPT TO:<b@example.net>", "<- 250 ok", "-> NOOP", "<- 250 ok", "<- 250 ok"},
			replay.Options{}, m + "+" + r + "|NOOP", ""},
		{"chunks, dry", mail("-> BDAT 3", "<- 250 ok", "-> BDAT 0 LAST", "<- 250 ok"), replay.Options{}, m + "|" + r + "|RSET", "BDAT 3: a dry"},
		{"a recipient behind the message, dry", mail("-> DATA", "<- 451 later", "-> RCPT TO:<c@example.net>", "<- 250 ok", "-> DATA", "<- 354 go", ".. x\r\n", "<- 250 ok"),
			replay.Options{}, m + "|" + r + "|RSET", "DATA: a dry; RCPT TO:<c@example.net>: the transaction was ended; DATA: a dry"},
		{"verbs that may deliver", []string{"-> ETRN example.com", "<- 250 ok", "-> SEND FROM:<a@example.com>", "<- 250 ok", "-> XQUEUE now", "<- 250 ok", "-> BURL imap://x LAST", "<- 250 ok"},
			replay.Options{}, "", "ETRN example.com: it is not known; SEND FROM:<a@example.com>: it is not known; XQUEUE now: it is not known; BURL imap://x LAST: it is not known"},
		{"the same to another", []string{"-> ETRN example.com", "<- 250 ok"}, to, "", "ETRN example.com: it is not known"},
		{"the same delivered", []string{"-> ETRN example.com", "<- 250 ok"}, all, "ETRN example.com", ""},
		{"two lines in one", []string{"-> NOOP\nDATA", "<- 250 ok"}, to, "", "NOOP?DATA: it holds a bare newline"},
		{"two lines in one, delivered", []string{"-> NOOP\nDATA", "<- 250 ok"}, all, "NOOP\nDATA", ""},
		{"two real lines in one", []string{"-> NOOP\r\nDATA", "<- 250 ok"}, all, "", "NOOP??DATA: the record holds two lines as one"},
		{"redacted", []string{"-> NOOP ***", "<- 250 ok"}, all, "", "NOOP ***: the record holds it redacted"},
		{"a redacted sender", []string{"-> MAIL FROM:<***>", "<- 250 ok", "-> RCPT TO:<b@example.net>", "<- 250 ok", "-> DATA", "<- 354 go", ".. x\r\n", "<- 250 ok"},
			all, "", "MAIL FROM:<***>: the record holds it redacted; " + r + ": its MAIL is not sent; DATA: its MAIL is not sent"},
		{"a verb in front of which blanks stand", mail("->  DATA", "<- 354 go on", ".. x\r\n", "<- 250 ok"), replay.Options{}, m + "|" + r + "|RSET", " DATA: a dry"},
	} {
		script, err := kept(within(t, test.lines...), "hello\r\n", "x\r\n").Script(test.options)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		want := strings.Trim("EHLO me|"+test.want, "|") + "|QUIT"
		if got := grouped(script); got != want {
			t.Errorf("%s: got %q, want %q", test.name, got, want)
		}
		wantReasons(t, test.name, script.NotSent, test.notSent)
	}
}

func grouped(s replay.Script) string {
	var groups []string
	for _, g := range s.Groups() {
		groups = append(groups, strings.Join(g, "+"))
	}
	return strings.Join(groups, "|")
}

func wantReasons(t *testing.T, name string, got []string, want string) {
	t.Helper()
	wants := strings.Split(want, "; ")
	if want == "" {
		wants = nil
	}
	same := len(got) == len(wants)
	for i := range wants {
		same = same && strings.HasPrefix(got[i], wants[i])
	}
	if !same {
		t.Errorf("%s: not sent %q, want %q", name, got, wants)
	}
}

func TestRecipientsAreReplaced(t *testing.T) {
	for line, want := range map[string]string{
		"RCPT TO:<b@example.net> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b@example.net": "RCPT TO:<me@example.org> NOTIFY=SUCCESS,DELAY",
		"rcpt to: <b@example.net> notify=never X=1":                               "RCPT TO:<me@example.org> notify=never",
		`RCPT TO:<"a> NOTIFY=b"@example.net> NOTIFY=NEVER`:                        "RCPT TO:<me@example.org> NOTIFY=NEVER",
		`RCPT TO:<"a\"> NOTIFY=b"@example.net>`:                                   "RCPT TO:<me@example.org>",
		"RCPT TO:b@example.net NOTIFY=NEVER":                                      "RCPT TO:<me@example.org>",
		"RCPT victim@example.net":                                                 "RCPT TO:<me@example.org>",
		"RCPT TO:<@relay.example:b@example.net>":                                  "RCPT TO:<me@example.org>",
	} {
		entries := within(t, "-> MAIL FROM:<a@example.com>", "<- 250 ok", "-> "+line, "<- 250 ok")
		script, err := kept(entries).Script(replay.Options{To: []string{"me@example.org"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := script.Groups()[2][0]; got != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}

func TestWhatWasNotKeptIsNotDelivered(t *testing.T) {
	for _, options := range []replay.Options{{Deliver: true}, {To: []string{"me@example.org"}}} {
		for captured, want := range map[string]string{"headers": "header alone", "cut": "end is missing", "none": "not kept", "": "not kept", "full": "not kept"} {
			r := kept(within(t, sent()...))
			r.Captured = func(int) string { return captured }
			_, err := r.Script(options)
			if err == nil || !errors.Is(err, replay.ErrNoBody) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "message 1") {
				t.Errorf("captured %q: got %v, want an error that names message 1 and %q", captured, err, want)
			}
			if _, err := r.Script(replay.Options{}); err != nil {
				t.Errorf("captured %q: a dry run got %v", captured, err)
			}
		}
	}
	r := kept(within(t, mail()...))
	if _, err := r.Script(replay.Options{Deliver: true}); err != nil {
		t.Errorf("a session without a message: got %v, want nothing to miss", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []replay.Options{
		{To: []string{"a@b>\r\nRCPT TO:<c@d"}}, {To: []string{""}}, {To: []string{"a b@c"}}, {To: []string{strings.Repeat("x", 400)}},
		{Auth: &replay.Credentials{}}, {Auth: &replay.Credentials{User: "a\x00b", Password: "p"}}, {Auth: &replay.Credentials{User: "a", Password: "p\r\nDATA"}},
	} {
		if _, err := kept(within(t)).Script(o); err == nil {
			t.Errorf("%+v: got no error", o)
		}
	}
}

func TestCredentialsPrintAsNothing(t *testing.T) {
	c := replay.Credentials{User: "me", Password: "a secret", Token: "a secret"}
	if got := fmt.Sprintf("%v %+v %s %v", c, &c, c, replay.Options{Auth: &c}); strings.Contains(got, "a secret") {
		t.Errorf("got %q, want no secret", got)
	}
}

func TestTunnelsAndGapsEndTheScript(t *testing.T) {
	note := func(odd session.Oddity) session.Entry {
		return session.Entry{Kind: session.KindNote, From: session.FromProxy, Odd: odd, Bytes: 3}
	}
	tunnel := session.Entry{Kind: session.KindTLS, TLS: &session.TLS{Passthrough: true}}
	base := history(t, "<- 220 mx", "-> EHLO me", "<- 250 mx", "-> STARTTLS", "<- 220 go")
	rest := history(t, "-> NOOP", "<- 250 ok")
	for _, test := range []struct {
		name    string
		last    session.Entry
		want    string
		notSent string
	}{
		{"tunnel", tunnel, "EHLO me", "everything under TLS"},
		{"gap", note(session.OddGap), "EHLO me|STARTTLS", "what followed: the record lacks 3"},
		{"opaque", note(session.OddOpaque), "EHLO me|STARTTLS", "what followed: from here"},
	} {
		script, err := kept(slices.Concat(base, []session.Entry{test.last}, rest)).Script(replay.Options{Deliver: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := grouped(script); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		wantReasons(t, test.name, script.NotSent, test.notSent)
	}
	if _, err := kept([]session.Entry{tunnel}).Script(replay.Options{}); !errors.Is(err, replay.ErrNothing) {
		t.Errorf("TLS from the first octet, end to end: got %v, want %v", err, replay.ErrNothing)
	}
}
