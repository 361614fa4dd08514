package replay_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream/replay"
)

// A record may have the next MAIL in front of the reply to DATA. The message
// then stands in a transaction that goes on, and a dry run has none of it.
func TestDryScriptHasNoMessage(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	r := replay.Recording{
		ID: "01J00000000000000000000000", Captured: func(int) string { return "full" },
		Body: func(context.Context, int) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader("x\r\n")), nil
		},
	}
	add := func(e session.Entry) {
		e.Seq, e.At = len(r.Entries)+1, at.Add(time.Duration(len(r.Entries))*time.Millisecond)
		r.Entries = append(r.Entries, e)
	}
	add(session.Entry{Kind: session.KindGreeting, Leg: session.Upstream, From: session.FromUpstream, Code: 220, Text: "220 mx", Phase: session.PhaseGreeting})
	for _, line := range []string{"EHLO app", "MAIL FROM:<a@x>", "RCPT TO:<b@y>", "DATA", "MAIL FROM:<c@x>"} {
		add(session.Entry{Kind: session.KindCommand, Leg: session.App, From: session.FromApp, Text: line, Bytes: int64(len(line) + 2)})
	}
	for _, reply := range []string{"250 mx", "250 ok", "250 ok", "354 go"} {
		add(session.Entry{Kind: session.KindReply, Leg: session.Upstream, From: session.FromUpstream, Text: reply, Code: map[bool]int{true: 354, false: 250}[reply[0] == '3']})
	}
	add(session.Entry{Kind: session.KindData, Leg: session.App, From: session.FromApp, Verb: ".", Bytes: 3})
	for _, o := range []replay.Options{{}, {Pace: true}} {
		s, err := r.Script(o)
		if err != nil {
			t.Fatalf("%+v: got %v, want a script without a message", o, err)
		}
		for _, group := range s.Groups() {
			if slices.Contains(group, ".") || slices.Contains(group, "DATA") {
				t.Errorf("%+v: got %q, want no message in a dry run", o, s.Groups())
			}
		}
	}
}
