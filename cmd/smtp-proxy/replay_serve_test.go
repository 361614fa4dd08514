package main

import (
	"errors"
	"testing"

	"smtp-proxy/upstream/replay"
)

// An app that never came is no success of a run in CI.
func TestServingVerdict(t *testing.T) {
	for _, test := range []struct {
		asked  int
		played replay.Played
		want   error
	}{
		{0, replay.Played{Sessions: 3, Deviations: 2}, nil},
		{1, replay.Played{Sessions: 1}, nil},
		{1, replay.Played{Sessions: 1, Deviations: 1}, ended(exitFailed)},
		{2, replay.Played{Sessions: 1}, exitInterrupted},
		{1, replay.Played{}, exitInterrupted},
	} {
		v := &rehearsal{options: replay.StageOptions{Sessions: test.asked}}
		if got := v.verdict(test.played); !errors.Is(got, test.want) {
			t.Errorf("--once=%d, %+v: got %v, want %v", test.asked, test.played, got, test.want)
		}
	}
}
