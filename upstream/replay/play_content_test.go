package replay_test

import (
	"fmt"
	"strings"
	"testing"

	"smtp-proxy/upstream/replay"
)

// A body that is not what the record says is not delivered, whoever wrote it:
// its end is never said.
func TestASpoiltBodyIsNotDelivered(t *testing.T) {
	const inner = "RCPT TO:<c@example.net>\r\n"
	for _, test := range []struct {
		name, body string
		octets     int
		options    replay.Options
		err        string
	}{
		{"shorter than recorded", "hello\r\n", 20, replay.Options{Deliver: true}, "shorter"},
		{"an end within", "a\r\n.\r\n" + inner, -1, replay.Options{Deliver: true}, "end of data"},
		{"an end at its beginning", ".\r\n" + inner, -1, replay.Options{Deliver: true}, "end of data"},
		{"a lax end within, to another", "a\n.\n" + inner, -1, replay.Options{To: []string{"me@example.org"}}, "end of data"},
		{"no line end", "hello", -1, replay.Options{Deliver: true}, "end of data"},
		{"an end across pieces", strings.Repeat("x", 32<<10-3) + "\r\n.\r\n" + inner, -1, replay.Options{Deliver: true}, "end of data"},
	} {
		n := test.octets
		if n < 0 {
			n = len(test.body)
		}
		lines := mail("-> DATA", "<- 354 go on", ".. "+strings.Repeat("x", n), "<- 250 2.0.0 queued")
		script, err := kept(within(t, lines...), test.body).Script(test.options)
		if err != nil {
			t.Fatal(err)
		}
		y := greets("")
		got := script.Play(t.Context(), y, test.options)
		if got.Err == nil || !strings.Contains(got.Err.Error(), test.err) || !strings.Contains(got.Err.Error(), "message 1") || got.Delivered != 0 || got.Identical() {
			t.Errorf("%s: got %v and %d delivered, want an error that says %q", test.name, got.Err, got.Delivered, test.err)
		}
		if strings.Contains(fmt.Sprint(y.rcpts), "c@example.net") || y.messages != 0 {
			t.Errorf("%s: it heard %q and took %d messages, want none", test.name, y.rcpts, y.messages)
		}
	}
}

// Leave to deliver is leave to pass on what a relay passed then.
func TestWhatOnlyALaxSmarthostTakesForTheEndMayPass(t *testing.T) {
	const body = "a\n.\nb\r\n"
	lines := mail("-> DATA", "<- 354 go on", ".. "+strings.Repeat("x", len(body)), "<- 250 2.0.0 queued")
	script, err := kept(within(t, lines...), body).Script(replay.Options{Deliver: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := script.Play(t.Context(), greets(""), replay.Options{Deliver: true}); got.Err != nil || got.Delivered != 1 {
		t.Errorf("got %v and %d delivered, want the message", got.Err, got.Delivered)
	}
}

// Where the smarthost waits for text that the record does not have, nothing is
// said any more: it would be text.
func TestNothingIsSaidIntoAMessage(t *testing.T) {
	for _, codes := range []string{"23", "223", "2223"} { // text is asked for behind MAIL, RCPT, DATA
		lines := mail("-> DATA", "<- 451 4.3.0 later", "-> RSET", "<- 250 2.0.0 reset", "-> NOOP", "<- 250 ok")
		script, err := kept(within(t, lines...)).Script(replay.Options{Deliver: true})
		if err != nil {
			t.Fatal(err)
		}
		y := greets(codes)
		got := script.Play(t.Context(), y, replay.Options{Deliver: true})
		if len(y.verbs) != len(codes) || len(y.in) > 0 || got.Identical() {
			t.Errorf("%s: it heard %q and then %q, want nothing behind the 354", codes, y.verbs, y.in)
		}
	}
}
