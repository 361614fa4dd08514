package replay_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream/replay"
)

// sessionOf makes a session of lines: "A " is the app's, "U " the upstream's,
// "P " a reply of the proxy's, "= " a note of the proxy's, and "." the message.
// Replies come in the order of the commands; "|" parts their lines.
func sessionOf(t *testing.T, lines ...string) replay.Recording {
	t.Helper()
	r := replay.Recording{ID: "test"}
	var due []session.Entry
	for i, line := range lines {
		side, text, _ := strings.Cut(line, " ")
		e := session.Entry{Seq: i + 1, Kind: session.KindCommand, Text: strings.ReplaceAll(text, "|", "\n"), Wait: time.Millisecond}
		switch {
		case side == "=":
			e.Kind, e.From, e.Edit = session.KindNote, session.FromProxy, true
		case side == "A" && text == ".":
			e.Kind, e.Verb, e.Phase, e.Text, e.Bytes = session.KindData, ".", session.PhaseDot, "", 22
			due = append(due, e)
		case side == "A":
			e.Verb, _, _ = strings.Cut(strings.ToUpper(text), " ")
			e.Phase = map[string]session.Phase{"EHLO": session.PhaseHelo, "AUTH": session.PhaseAuth, "MAIL": session.PhaseMail, "RCPT": session.PhaseRcpt, "DATA": session.PhaseData, "QUIT": session.PhaseQuit}[e.Verb]
			if e.Verb == "AUTH" {
				e.Kind = session.KindAuth
				e.Auth = &session.Auth{Mechanism: strings.Fields(text)[1], Username: strings.Fields(text)[2]}
			}
			due = append(due, e)
		case len(due) == 0:
			e.Kind, e.From, e.Leg, e.Phase = session.KindGreeting, session.FromUpstream, session.Upstream, session.PhaseGreeting
		default:
			e.Kind, e.From, e.Leg = session.KindReply, session.FromUpstream, session.Upstream
			e.Verb, e.Phase, due = due[0].Verb, due[0].Phase, due[1:]
			if side == "P" {
				e.From, e.Leg = session.FromProxy, session.App
			}
		}
		if reply, ok := wire.ParseReply(e.Text); ok && e.Kind != session.KindCommand {
			e.Code, e.Enhanced = reply.Code, reply.Enhanced
		}
		r.Entries = append(r.Entries, e)
	}
	return r
}

// healthyLines is a session that delivers one message.
func healthyLines() []string {
	return []string{
		"U 220 mx1.example.com ESMTP Postfix", "A EHLO box", "U 250-mx1.example.com|250-SIZE 10240000|250 STARTTLS",
		"A MAIL FROM:<a@example.com> SIZE=22", "U 250 2.1.0 Ok", "A RCPT TO:<b@example.net>", "U 250 2.1.5 Ok",
		"A DATA", "U 354 go on", "A .", "U 250 2.0.0 Ok: queued as 4C2D81234A", "A QUIT", "U 221 2.0.0 Bye",
	}
}

// changed is the usual session with lines replaced: of each pair the first is
// how the line begins; an empty second takes it out.
func changed(changes ...string) (lines []string) {
	for _, line := range healthyLines() {
		for i := 0; i < len(changes); i += 2 {
			if strings.HasPrefix(line, changes[i]) {
				line = changes[i+1]
			}
		}
		if line != "" {
			lines = append(lines, strings.Split(line, "\\")...)
		}
	}
	return lines
}

func differences(all []replay.Difference) (lines []string) {
	for _, d := range all {
		lines = append(lines, fmt.Sprintf("%s: %s [%s] [%s]", d.Where, d.Why, d.A, d.B))
	}
	return lines
}

func TestDiff(t *testing.T) {
	for _, test := range []struct {
		name string
		b    []string
		want []string
	}{
		{"the same", healthyLines(), nil},
		{"ids and names", changed("U 220", "U 220 mx2.example.com ESMTP Postfix", "U 250 2.0.0", "U 250 2.0.0 Ok: queued as 9F2D8123BB", "A MAIL", "A mail FROM:<a@example.com> size=23"), nil},
		{"a refusal", changed("U 250 2.1.5", "U 451 4.7.1 Greylisted", "A DATA", "", "U 354", "", "A .", "", "U 250 2.0.0", ""), []string{
			"RCPT TO:<b@example.net>: 250 2.1.5 in the first, 451 4.7.1 in the second [250 2.1.5 Ok] [451 4.7.1 Greylisted]",
			"dialogue: only in the first [DATA (354); the message (250 2.0.0)] []",
		}},
		{"keywords", changed("U 250-mx1", "U 250-mx1.example.com|250 SIZE 35882577"), []string{
			"EHLO in clear: offers SIZE 10240000 in the first, SIZE 35882577 in the second [SIZE 10240000] [SIZE 35882577]",
			"EHLO in clear: only in the first: STARTTLS [STARTTLS] []",
		}},
		{"another recipient", changed("A RCPT", "A RCPT TO:<c@example.net>"), []string{
			"RCPT: the app said it otherwise [RCPT TO:<b@example.net>] [RCPT TO:<c@example.net>]",
		}},
		{"one more recipient", changed("A DATA", `A RCPT TO:<c@example.net>\U 250 2.1.5 Ok\A DATA`), []string{
			"dialogue: only in the second [] [RCPT TO:<c@example.net> (250 2.1.5)]",
		}},
		{"a mechanism", changed("A MAIL", `A AUTH PLAIN me\U 235 2.7.0 Ok\A MAIL FROM:<a@example.com>`), []string{
			"AUTH mechanism: only in the second [] [PLAIN]",
			"AUTH user: only in the second [] [me]",
			"dialogue: only in the second [] [AUTH PLAIN (235 2.7.0)]",
		}},
		{"an edit", changed("A QUIT", `= removed STARTTLS from the EHLO reply\A QUIT`), []string{
			"edit: only in the second [] [removed STARTTLS from the EHLO reply]",
		}},
		{"no answer", changed("U 250 2.0.0", "", "A QUIT", "", "U 221", ""), []string{
			"the message: only one was answered [250 2.0.0 Ok: queued as 4C2D81234A] []",
			"dialogue: only in the first [QUIT (221 2.0.0)] []",
		}},
		{"another server", changed("U 220", "U 220 mx.example.org ESMTP Exim 4.96"), []string{
			`greeting: other software: "postfix" in the first, "exim" in the second [220 mx1.example.com ESMTP Postfix] [220 mx.example.org ESMTP Exim 4.96]`,
		}},
	} {
		got := differences(replay.Diff(sessionOf(t, healthyLines()...), sessionOf(t, test.b...)))
		if !slices.Equal(got, test.want) {
			t.Errorf("%s\n got %s\nwant %s", test.name, strings.Join(got, "\n     "), strings.Join(test.want, "\n     "))
		}
	}
}

// Whatever the second session is, the first differs from it in as many places.
func TestDiffIsSymmetric(t *testing.T) {
	a, b := sessionOf(t, healthyLines()...), sessionOf(t, changed("U 250 2.1.5", "U 550 5.1.1 unknown", "A DATA", "", "U 354", "", "A .", "", "U 250 2.0.0", "")...)
	there, back := replay.Diff(a, b), replay.Diff(b, a)
	if len(there) == 0 || len(there) != len(back) {
		t.Fatalf("there %q\nback  %q", differences(there), differences(back))
	}
	for i := range there {
		if there[i].A != back[i].B || there[i].B != back[i].A || there[i].Where != back[i].Where {
			t.Errorf("there %+v\nback  %+v", there[i], back[i])
		}
	}
}

func TestDiffTimes(t *testing.T) {
	for _, test := range []struct {
		phase session.Phase
		a, b  time.Duration
		want  int
	}{
		{session.PhaseRcpt, time.Millisecond, 900 * time.Millisecond, 0},
		{session.PhaseRcpt, 2 * time.Second, 4 * time.Second, 0},
		{session.PhaseRcpt, time.Millisecond, 1500 * time.Millisecond, 1},
		{session.PhaseRcpt, 1500 * time.Millisecond, time.Millisecond, 1},
		{session.PhaseDot, time.Millisecond, 1500 * time.Millisecond, 0},
		{session.PhaseDot, 100 * time.Millisecond, 9 * time.Second, 1},
		{session.PhaseQuit, 0, time.Minute, 0},
	} {
		a, b := sessionOf(t, healthyLines()...), sessionOf(t, healthyLines()...)
		for i := range a.Entries {
			if a.Entries[i].Kind == session.KindReply && a.Entries[i].Phase == test.phase {
				a.Entries[i].Wait, b.Entries[i].Wait = test.a, test.b
			}
		}
		if got := differences(replay.Diff(a, b)); len(got) != test.want {
			t.Errorf("%s in %v and %v: got %q, want %d differences", test.phase, test.a, test.b, got, test.want)
		}
	}
}

// Two sessions of thousands of commands are compared in bounded work, and each
// command finds its counterpart behind one that was put in.
func TestDiffLongSessions(t *testing.T) {
	lines := []string{"U 220 mx"}
	for i := range 3000 {
		lines = append(lines, fmt.Sprintf("A RCPT TO:<user%d@example.net>", i), "U 250 2.1.5 Ok")
	}
	more := slices.Insert(slices.Clone(lines), 3001, "A NOOP", "U 250 2.0.0 Ok")
	got := differences(replay.Diff(sessionOf(t, lines...), sessionOf(t, more...)))
	if want := []string{"dialogue: only in the second [] [NOOP (250 2.0.0)]"}; !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	slices.Reverse(more[1:])
	if got := replay.Diff(sessionOf(t, lines...), sessionOf(t, more...)); len(got) == 0 {
		t.Error("the reverse of a session is the same")
	}
}
