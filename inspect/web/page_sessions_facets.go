package web

import (
	"context"
	"strings"
	"sync"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// Bounds of the counts.
const (
	tallyMost  = 10000                   // sessions that are counted
	tallyTime  = 1500 * time.Millisecond // that counting may take
	tallyGood  = 2 * time.Second         // for which counts are shown again
	tallyRest  = 20                      // times as long as counting took they are good at least
	tallyLate  = 15 * time.Second        // before counting is tried again where it took too long
	tallyKinds = 64                      // filters of which counts are kept
	mostCauses = 12
)

// facets are counts that are filters, too.
type facets struct {
	All      string // "1 session", "10,000+ sessions"
	Outcomes []facet
	Causes   []facet
	More     int  // causes that are not listed
	Late     bool // counting took too long

	at time.Time // the counts are no older
}

// facet is one word that a click adds to the filter or takes out.
type facet struct {
	Word  string
	Badge badge // of an outcome
	Count string
	On    bool
	URL   string
}

// facetsOf counts what the filter would select with another outcome or another
// cause in it.
func (s *Site) facetsOf(ctx context.Context, f inspect.Filter) facets {
	var counts [3]keptTally
	for i, g := range []inspect.Filter{f, without(f, "outcome"), without(f, "cause")} {
		var err error
		if counts[i], err = s.tally(ctx, g); err != nil {
			return facets{Late: true, at: time.Now()}
		}
	}
	all, byOutcome, byCause := counts[0].Tally, counts[1].Tally, counts[2].Tally
	out := facets{All: sessionsOf(all), at: counts[0].at}
	for _, k := range counts {
		if k.at.Before(out.at) {
			out.at = k.at
		}
	}
	for _, o := range []inspect.Outcome{inspect.Open, inspect.Delivered, inspect.Partial, inspect.Rejected, inspect.Failed, inspect.Aborted, inspect.NoMail} {
		if x := toggle(f, "outcome", string(o)); byOutcome.Outcomes[o] > 0 || x.On {
			x.Badge, x.Count = badgeOf(o), amount(byOutcome.Outcomes[o], byOutcome.Bounded)
			out.Outcomes = append(out.Outcomes, x)
		}
	}
	out.causes(f, byCause)
	return out
}

// causes lists the most frequent, and those that the filter names.
func (out *facets) causes(f inspect.Filter, t store.Tally) {
	listed := map[string]bool{}
	for _, c := range t.Causes {
		x := toggle(f, "cause", c.Cause)
		if len(out.Causes) >= mostCauses && !x.On {
			out.More++
			continue
		}
		x.Count = amount(c.N, t.Bounded)
		out.Causes, listed[strings.ToLower(c.Cause)] = append(out.Causes, x), true
	}
	for _, word := range f.Terms() {
		if word.Key == "cause" && !word.Not && !listed[word.Value] {
			out.Causes = append(out.Causes, toggle(f, "cause", word.Value))
		}
	}
}

// toggle is the word that takes key:value out of a filter, or puts it there in
// place of others with that key.
func toggle(f inspect.Filter, key, value string) facet {
	for _, t := range f.Terms() {
		if t.Key == key && !t.Not && t.Value == strings.ToLower(value) {
			return facet{Word: short(value), On: true, URL: listAddress(without(f, key).String(), "", "")}
		}
	}
	return facet{Word: short(value), URL: listAddress(textWith(without(f, key), key, value), "", "")}
}

// without leaves the words with a key out of a filter, except those turned
// round.
func without(f inspect.Filter, key string) inspect.Filter {
	var words []string
	for _, t := range f.Terms() {
		if t.Key != key || t.Not {
			words = append(words, t.String())
		}
	}
	out, err := inspect.ParseFilter(strings.Join(words, " "))
	if err != nil { // a filter reads what it writes
		return f
	}
	return out
}

// textWith is a filter with one word more.
func textWith(f inspect.Filter, key, value string) string {
	return strings.TrimSpace(f.String() + " " + inspect.Term{Key: key, Value: value}.String())
}

func sessionsOf(t store.Tally) string {
	if t.All == 1 && !t.Bounded {
		return "1 session"
	}
	return amount(t.All, t.Bounded) + " sessions"
}

func amount(n int, bounded bool) string {
	if bounded {
		return grouped(n) + "+"
	}
	return grouped(n)
}

// tallies keeps counts for a moment: many pages ask for the same ones.
type tallies struct {
	mu   sync.Mutex
	kept map[string]*tallying
}

// tallying is what one filter selects, counted by one at a time.
type tallying struct {
	mu   sync.Mutex
	last keptTally
}

type keptTally struct {
	store.Tally
	err   error     // it took too long, or could not be done
	at    time.Time // when counting began
	until time.Time // good until then
}

// tally counts sessions, or returns what was counted a moment ago.
func (s *Site) tally(ctx context.Context, f inspect.Filter) (keptTally, error) {
	k := s.tallies.of(f.String())
	k.mu.Lock()
	defer k.mu.Unlock()
	began := time.Now()
	if began.Before(k.last.until) {
		return k.last, k.last.err
	}
	limited, cancel := context.WithTimeout(ctx, tallyTime)
	defer cancel()
	t, err := s.Store.Tally(limited, f, tallyMost)
	if ctx.Err() != nil { // who asked has gone, which says nothing of the counts
		return keptTally{}, ctx.Err()
	}
	now := time.Now()
	k.last = keptTally{t, err, began, now.Add(max(tallyGood, tallyRest*now.Sub(began)))}
	if err != nil {
		k.last.until = now.Add(tallyLate)
	}
	return k.last, err
}

func (t *tallies) of(filter string) *tallying {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept == nil || len(t.kept) >= tallyKinds {
		t.kept = map[string]*tallying{}
	}
	k := t.kept[filter]
	if k == nil {
		k = &tallying{}
		t.kept[filter] = k
	}
	return k
}
