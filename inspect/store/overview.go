package store

import (
	"context"
	"database/sql"
	"time"

	"smtp-proxy/inspect"
)

// Overview is what happened within a span of time. Sessions count where they
// began, by what has been counted when they ended (tallies.go); those that are
// open count as open only. A session with more than 31 codes has none here.
type Overview struct {
	Since, Until time.Time     // as asked for, or a little more: see [OverviewQuery]
	Width        time.Duration // of a column
	Columns      []Column      // oldest first, those without sessions included
	Causes       []CauseTrend  // the most frequent first
	Codes        []CodeCount   // refusals, the most frequent first
	Waits        []Wait        // how long replies took, in the order of a session
	Upstreams    []Upstream    // the busiest first, no more than 20
	Others       Upstream      // the sum of the rest, without a name
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
// "" the greeting, "connect" the connection and "tls" the handshake. In a
// pipelined group each reply's time runs from when the group went out. It is
// counted as entries are written, at the moment of the reply, and stays
// however soon the session is removed.
type Wait struct {
	Verb          string
	N             int
	P50, P95, P99 time.Duration // to about a tenth
}

// Upstream is what became of the sessions to one smarthost.
type Upstream struct {
	Name        string // host:port as configured
	Provider    string
	Sessions    int
	Outcomes    map[inspect.Outcome]int
	LastGood    *inspect.Session // in which mail was accepted; nil when there is none on record
	LastFailed  *inspect.Session // the latest with a finding
	Certificate time.Time        // the end of the one that it showed in LastGood; zero without TLS
	Changed     []string         // what the latest failure has new against the sessions that worked
	Throttled   *Throttled       // nil when it refused nothing for its rate
}

// OverviewQuery says what an overview is of.
//
// Counts are kept by minute for six hours, by ten minutes for three days, by
// hour for two months, and by six hours (UTC) for as long as there are
// sessions. A span whose beginning and columns are whole ones of these is shown
// as it is asked for; any other is widened to whole ones.
type OverviewQuery struct {
	Since, Until time.Time
	Columns      int    // how many; 0 is 60
	Upstream     string // host:port as configured; empty for all
}

// overviewColumns is how many columns an overview has that does not say.
const overviewColumns = 60

// Overview sums up what happened within a span of time.
func (s *Store) Overview(ctx context.Context, q OverviewQuery) (Overview, error) {
	v := newSurvey(q, s.now())
	err := s.snapshot(ctx, func(tx *sql.Tx) error {
		v.tx = tx
		for _, part := range []func(context.Context) error{v.outcomes, v.open, v.causes, v.codes, v.waits, v.upstreams, v.throttled} {
			if err := part(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return v.Overview, err
	}
	return v.Overview, s.lastSeen(ctx, v.Upstreams)
}
