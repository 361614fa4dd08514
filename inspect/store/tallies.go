package store

import (
	"slices"
	"time"

	"smtp-proxy/inspect"
)

// How sessions are counted. What an overview needs of a million sessions are a
// few thousand numbers, which are kept beside them: for slots of time of several
// widths, for each upstream and for all together, how many sessions that began
// then ended in each outcome, had a cause, were refused with a code.
//
// A transaction that writes sessions counts them in memory and adds the sums
// to the table as they stand by minute (step 1): one row for each distinct
// count, however many sessions there were. Now and then these rows are added
// to the slots of all widths, and deleted (tallies_fold.go). Both happen within
// transactions of the sessions', so that a kill leaves no difference; a reader
// adds up slots and what is fresh. Sessions that are removed, or get other
// findings, are taken off again in the same way.

// The kinds of what is counted.
const (
	tallyOutcome = "outcome"
	tallyCause   = "cause"
	tallyCode    = "code"
)

// step is a width of slots.
type step struct {
	seconds int64
	keep    time.Duration // slots that are older are forgotten; 0 keeps all
}

// stepAll is the width of one slot that holds everything.
const stepAll = 1 << 40

// steps are the widths there are, so that a span of time that people look at,
// and as much before it, are not many slots: an hour by minutes, a day by ten
// minutes, a week by hours, a month by six hours, or by hours where a day begins
// between two of these.
func steps() [5]step {
	const day = 24 * time.Hour
	return [...]step{{60, 6 * time.Hour}, {600, 3 * day}, {3600, 62 * day}, {6 * 3600, 0}, {stepAll, 0}}
}

// horizon is the beginning of the oldest slot that is kept.
func (s step) horizon(now time.Time) int64 {
	if s.keep == 0 {
		return 0
	}
	at := now.Add(-s.keep).Unix()
	return at - at%s.seconds
}

// maxTallied is how many findings of a session are counted.
const maxTallied = 32

// keysPerMinute is how far apart the keys of two sessions are that begin one
// minute after the other.
const keysPerMinute = 60 * 1_000_000 * keysPerMicro

// tallied says what is counted.
type tallied struct {
	minute               int64 // since 1970
	upstream, kind, name string
}

// tallies are the counts of one transaction.
type tallies struct {
	list []tally
	at   map[tallied]int // where each stands in the list
	last int             // the latest: the next is the same, mostly
}

type tally struct {
	tallied
	n int
}

func newTallies() tallies { return tallies{at: map[tallied]int{}} }

func (t *tallies) reset() {
	clear(t.list)
	clear(t.at)
	t.list, t.last = t.list[:0], 0
}

// session adds n times what a session counts for. One that is open counts for
// nothing yet; one with too many codes for a column has none, and of more than 32
// findings the first count.
func (t *tallies) session(key int64, v *inspect.Session, n int) {
	if v.Ended.IsZero() {
		return
	}
	what := tallied{key / keysPerMinute, v.Upstream.Name, tallyOutcome, string(v.Outcome)}
	t.add(what, n)
	what.kind = tallyCause
	for i := range min(len(v.Findings), maxTallied) {
		what.name = v.Findings[i].Cause
		if !slices.ContainsFunc(v.Findings[:i], func(f inspect.Finding) bool { return f.Cause == what.name }) {
			t.add(what, n)
		}
	}
	if len(v.Codes) >= maxColumnCodes {
		return
	}
	what.kind = tallyCode
	for _, what.name = range v.Codes {
		t.add(what, n)
	}
}

func (t *tallies) add(what tallied, n int) {
	if t.last < len(t.list) && t.list[t.last].tallied == what {
		t.list[t.last].n += n
		return
	}
	i, known := t.at[what]
	if !known {
		i = len(t.list)
		t.at[what] = i
		t.list = append(t.list, tally{tallied: what})
	}
	t.list[i].n += n
	t.last = i
}
