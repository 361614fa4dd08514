package store

import (
	"context"
	"time"

	"smtp-proxy/inspect"
)

// Overview is what happened within a span of time.
type Overview struct {
	Since, Until time.Time
	Width        time.Duration // of a column
	Columns      []Column      // oldest first, those without sessions included
	Causes       []CauseTrend  // the most frequent first
	Codes        []CodeCount   // refusals, the most frequent first
	Waits        []Wait        // how long replies took, in the order of a session
	Upstreams    []Upstream    // the busiest first
}

// Column counts the sessions that began within one step of the span.
type Column struct {
	At       time.Time
	Outcomes map[inspect.Outcome]int
}

// CauseTrend counts the sessions with a cause.
type CauseTrend struct {
	Cause  string
	N      int
	Before int   // in the span of the same length before
	Counts []int // one for each column
}

// CodeCount counts sessions by a refusal, "550 5.1.1".
type CodeCount struct {
	Code string
	N    int
}

// Wait is how long the upstream took to answer a verb; "." is the end of data,
// and "" the greeting.
type Wait struct {
	Verb          string
	N             int
	P50, P95, P99 time.Duration // to about a tenth
}

// Upstream is what became of the sessions to one smarthost.
type Upstream struct {
	Name       string // host:port as configured
	Provider   string
	Sessions   int
	Outcomes   map[inspect.Outcome]int
	LastGood   *inspect.Session // in which mail was accepted; nil when there is none on record
	LastFailed *inspect.Session // the latest with a finding
}

// OverviewQuery says what an overview is of.
type OverviewQuery struct {
	Since, Until time.Time
	Columns      int    // how many; 0 is 60
	Upstream     string // host:port as configured; empty for all
}

// overviewColumns is how many columns an overview has that does not say.
const overviewColumns = 60

// Overview sums up what happened within a span of time.
func (s *Store) Overview(ctx context.Context, q OverviewQuery) (Overview, error) {
	if q.Columns <= 0 {
		q.Columns = overviewColumns
	}
	o := Overview{Since: q.Since, Until: q.Until, Width: q.Until.Sub(q.Since) / time.Duration(q.Columns)}
	for i := range q.Columns {
		o.Columns = append(o.Columns, Column{At: q.Since.Add(time.Duration(i) * o.Width), Outcomes: map[inspect.Outcome]int{}})
	}
	f, err := inspect.ParseFilter("since:" + q.Since.UTC().Format(time.RFC3339Nano) + " before:" + q.Until.UTC().Format(time.RFC3339Nano))
	if err != nil {
		return o, err
	}
	err = s.Sessions(ctx, f, 0, func(v *inspect.Session) error {
		if i := int(v.Started.Sub(q.Since) / o.Width); i >= 0 && i < len(o.Columns) {
			o.Columns[i].Outcomes[v.Outcome]++
		}
		return nil
	})
	return o, err
}
