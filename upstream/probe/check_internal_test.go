package probe

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"smtp-proxy/proxy/session"
)

func newExamination() *examination { return &examination{step: map[string]*rungs{}} }

// told climbs the steps and returns the lines as "step status text".
func told(ctx context.Context, x *examination, list ...step) (lines []string, r Report) {
	r = x.climb(ctx, list, func(l Line) {
		lines = append(lines, fmt.Sprintf("%s %s %s", l.Step, l.Status, l.Text))
	})
	return lines, r
}

func says(name, text string, wait time.Duration, after ...string) step {
	return step{name: name, after: after, run: func(ctx context.Context, x *examination) {
		select {
		case <-time.After(wait):
			x.say(name, Line{Status: StatusOK, Text: text})
		case <-ctx.Done():
		}
	}}
}

// The ladder keeps its order whichever step ends first, and the steps share
// their time.
func TestClimbInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		got, _ := told(t.Context(), newExamination(),
			says("slow", "first", 3*time.Second), says("fast", "second", time.Second), says("behind", "third", time.Second, "fast"))
		if want := []string{"slow ok first", "fast ok second", "behind ok third"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("got all after %s, want side by side: 3s", took)
		}
	})
}

// At a deadline each step that has said nothing is skipped with the reason,
// and one that does not heed it holds nothing up.
func TestClimbOutOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		stuck := step{name: "stuck", run: func(context.Context, *examination) { <-release }}
		dialogue := step{name: "dialogue", run: func(ctx context.Context, x *examination) {
			x.say("dialogue", Line{Step: "connect", Status: StatusOK, Text: "connected"})
			<-ctx.Done()
			x.known.dialogue = []session.Entry{{Seq: 1}}
			x.say("dialogue", Line{Step: "greeting", Status: StatusFail, Text: "none"})
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		got, r := told(ctx, newExamination(), says("quick", "well", time.Second), stuck, says("behind", "", time.Second, "stuck"), dialogue, says("long", "", time.Hour))
		want := []string{"quick ok well", "stuck skip out of time", "behind skip out of time", "connect ok connected", "greeting fail none", "long skip out of time"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if took, most := time.Since(began), 5*time.Second+LastWord; took != most {
			t.Errorf("got back after %s, want %s", took, most)
		}
		if len(r.Dialogue) != 1 {
			t.Errorf("got %d entries of the dialogue that was cut off, want 1", len(r.Dialogue))
		}
		close(release)
	})
}

// A dialogue that was left behind is not read while it may be written.
func TestClimbLeavesDialogueBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		dialogue := step{name: "dialogue", run: func(_ context.Context, x *examination) {
			<-release
			x.known.dialogue = []session.Entry{{Seq: 1}}
		}}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, r := told(ctx, newExamination(), dialogue)
		if r.Dialogue != nil {
			t.Errorf("got %v, want no dialogue", r.Dialogue)
		}
		close(release)
	})
}

// A step brings those that it reads, and a part brings its step.
func TestChosen(t *testing.T) {
	names := StepNames()
	for _, name := range names {
		x := newExamination()
		x.want.Steps = []string{name}
		list := x.chosen()
		has := func(name string) bool {
			return slices.ContainsFunc(list, func(s step) bool { return s.name == name || slices.Contains(s.also, name) })
		}
		if !has(name) {
			t.Errorf("steps for %q: got %v, want that step", name, list)
		}
		for _, s := range list {
			for _, before := range s.after {
				if slices.Contains(names, before) && !has(before) {
					t.Errorf("steps for %q: %s is without %s, which it reads", name, s.name, before)
				}
			}
		}
	}
}

// A line is one line of visible characters, whatever a peer has put into it.
func TestSayIsLegible(t *testing.T) {
	got, _ := told(t.Context(), newExamination(), says("dns", "a\x1b[2J\r\nb\u202ec \u009b31m µ … \xff", 0))
	if want := []string{"dns ok a?[2J??b?c ?31m µ … ?"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
