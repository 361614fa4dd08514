package main

import (
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream/replay"
)

func TestReplyTimeout(t *testing.T) {
	slow := []session.Entry{{Kind: session.KindReply, Wait: time.Second}, {Kind: session.KindReply, Wait: 11 * time.Minute}, {}}
	for _, test := range []struct {
		entries []session.Entry
		options replay.Options
		want    time.Duration
	}{
		{nil, replay.Options{}, time.Minute},
		{slow[:1], replay.Options{}, time.Minute + time.Second},
		{slow, replay.Options{}, 12 * time.Minute},
		{slow[:1], replay.Options{Deliver: true}, 10 * time.Minute},
		{slow, replay.Options{To: []string{"a@example.com"}}, 12 * time.Minute},
	} {
		if got := replyTimeout(test.entries, test.options); got != test.want {
			t.Errorf("%+v, %+v: got %s, want %s", test.entries, test.options, got, test.want)
		}
	}
}

// What the end of the recording proxy did is nobody's part.
func TestUntilStopped(t *testing.T) {
	said := []session.Entry{{Seq: 1, Kind: session.KindCommand}, {Seq: 2, Kind: session.KindNote, Odd: session.OddShutdown}, {Seq: 3, Kind: session.KindReply, Code: 421}}
	if got := untilStopped(said); len(got) != 1 || got[0].Seq != 1 {
		t.Errorf("untilStopped(%+v): got %+v, want the command alone", said, got)
	}
	if got := untilStopped(said[:1]); len(got) != 1 {
		t.Errorf("untilStopped(%+v): got %+v, want all", said[:1], got)
	}
}

func TestPlayable(t *testing.T) {
	for want, s := range map[string]*inspect.Session{
		"":                  {Outcome: inspect.Delivered},
		"--tls passthrough": {Passthrough: true, Outcome: inspect.Delivered},
		"still running":     {Outcome: inspect.Open},
		"lacks 2 entries":   {Outcome: inspect.Delivered, Dropped: 2},
		"lacks 1 entry":     {Outcome: inspect.Delivered, Dropped: 1},
	} {
		err := playable(s)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("playable(%+v): got %v, want %q", s, err, want)
		}
	}
}
