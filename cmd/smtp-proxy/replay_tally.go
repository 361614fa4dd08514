package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// tally is what has come of many sessions, in counts alone: it takes no more
// memory for more of them.
type tally struct {
	played    int
	identical int
	delivered int // messages
	differ    reasons
	stopped   reasons
	left      reasons  // not played
	cut       []string // sessions ended by the owner in the middle; as many as there are at once
	unsigned  int      // sessions that signed in then, and not now
	phases    map[session.Phase]int
	troubles  error // of printing and recording, the first
}

// reasons counts what is told apart by a text.
type reasons struct {
	all    int
	counts map[string]int
}

// mostReasons bounds them; what is rarer counts as other.
const (
	mostReasons = 50
	otherReason = "other reasons"
)

func (r *reasons) add(why string) {
	r.all++
	if r.counts == nil {
		r.counts = map[string]int{}
	}
	if _, known := r.counts[why]; !known && len(r.counts) >= mostReasons {
		why = otherReason
	}
	r.counts[why]++
}

// write lists them, the most frequent first.
func (r *reasons) write(w io.Writer, title string) {
	if r.all == 0 {
		return
	}
	fmt.Fprintf(w, "%s: %d\n", title, r.all)
	texts := slices.SortedFunc(maps.Keys(r.counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.counts[b], r.counts[a]), cmp.Compare(a, b))
	})
	for _, text := range texts {
		fmt.Fprintf(w, "  %6d  %s\n", r.counts[text], visible(text))
	}
}

// add counts one session. seen is nil where it was not played, for the reason
// err; else err says what went wrong behind it.
func (t *tally) add(id string, seen *played, err error) {
	if seen == nil {
		t.left.add(oneLine(err.Error()))
		return
	}
	t.printing(err)
	t.played++
	t.delivered += seen.result.Delivered
	if len(seen.noted) > 0 {
		t.unsigned++
	}
	phase, short := seen.short()
	switch {
	case seen.cutOff():
		t.cut = append(t.cut, id)
	case short:
		t.stopped.add(seen.reason())
		if t.phases == nil {
			t.phases = map[session.Phase]int{}
		}
		t.phases[phase]++
	case seen.identical():
		t.identical++
	default:
		t.differ.add(seen.reason())
	}
}

// printing notes that what came of a session could not be printed or recorded.
func (t *tally) printing(err error) { t.troubles = cmp.Or(t.troubles, err) }

// code returns what the series ends with: the number of a phase where all that
// went wrong did so there.
func (t *tally) code(ctx context.Context) ended {
	switch {
	case ctx.Err() != nil:
		return exitInterrupted
	case len(t.phases) == 1 && t.differ.all == 0:
		for phase := range t.phases {
			return codeOf(phase)
		}
	case t.stopped.all+t.differ.all > 0, t.left.all > 0:
		return exitFailed
	}
	return 0
}

// summarize says what was done, to whoever reads no JSON.
func (q *sequence) summarize(ctx context.Context) error {
	w := q.stdout
	if q.r.asJSON {
		w = q.stderr
	}
	t := &q.tally
	fmt.Fprintf(w, "%s: %d identical, %d different, %d ended earlier; %s delivered\n",
		inspect.Count(t.played, "session")+" played", t.identical, t.differ.all, t.stopped.all, inspect.Count(t.delivered, "message"))
	t.differ.write(w, "different")
	t.stopped.write(w, "ended earlier than the recording")
	t.left.write(w, "not played")
	if n := q.chosen.repeated; n > 0 {
		fmt.Fprintf(w, "left out, as they repeat others: %d\n", n)
	}
	if len(t.cut) > 0 {
		fmt.Fprintf(w, "cut off in the middle: %s\n", visible(strings.Join(t.cut, ", ")))
	}
	if ctx.Err() != nil {
		fmt.Fprintln(w, q.goOn())
	}
	return t.troubles
}

// advise tells what most of them may lack.
func (q *sequence) advise() {
	if n := q.tally.unsigned; n > 0 {
		fmt.Fprintf(q.stderr, "smtp-proxy: %s signed in then and not now, as the record holds no secrets: --user USER --password-file FILE signs in\n", inspect.Count(n, "session"))
	}
}

// goOn says how to continue.
func (q *sequence) goOn() string {
	if q.last == "" {
		return "interrupted before the first"
	}
	return "interrupted; --after " + q.last + " goes on behind the last one"
}

// reason is what a session has in common with others that went the same way:
// the first difference, less whom it was about.
func (s *played) reason() string {
	list := s.different()
	switch {
	case len(list) > 0:
		return commandVerb(list[0].Command) + ": " + clip(oneLine(list[0].Why), mostText)
	case s.untried():
		return "AUTH: not accepted then, and not tried without credentials"
	case s.result.Err != nil:
		return clip(oneLine(rootOf(s.result.Err).Error()), mostText)
	}
	return "another end"
}

// rootOf is what an error began with.
func rootOf(err error) error {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err
}
