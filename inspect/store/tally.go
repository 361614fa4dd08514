package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"smtp-proxy/inspect"
)

// Tally counts the sessions that a filter selects.
type Tally struct {
	All      int
	Outcomes map[inspect.Outcome]int
	Causes   []CauseCount // the most frequent first
	Bounded  bool         // there are more than were counted, or may be
}

// CauseCount is how many sessions have a cause among their findings.
type CauseCount struct {
	Cause string
	N     int
}

// tallyWithin is how long may be counted what a filter selects: a page waits
// for it.
const tallyWithin = 80 * time.Millisecond

// schemaOfTotals is the first in which sessions are counted as they are written.
const schemaOfTotals = 5

// Tally counts sessions by outcome and by cause, the newest first and no more
// than most; 0 counts all of them. Where there are many it stops sooner, when it
// has counted for a while. Without a filter the counts are those of [Store.Totals].
func (s *Store) Tally(ctx context.Context, f inspect.Filter, most int) (Tally, error) {
	r, err := s.read()
	if err == nil && r != nil && r.version >= schemaOfTotals && len(f.Terms()) == 0 {
		return s.Totals(ctx)
	}
	return s.tally(ctx, f, most)
}

func (s *Store) tally(ctx context.Context, f inspect.Filter, most int) (Tally, error) {
	what := listing{order: newestFirst, counts: true}
	if most > 0 {
		what.limit, what.within = most+1, tallyWithin
	}
	t := Tally{Outcomes: map[inspect.Outcome]int{}}
	l, err := s.lister(ctx, f, what)
	if err != nil || l == nil {
		return t, err
	}
	var failed []int64
	err = l.each(ctx, func(r *row, v *inspect.Session) (bool, error) {
		if t.Bounded = most > 0 && t.All == most; t.Bounded {
			return true, nil
		}
		t.All++
		t.Outcomes[inspect.Outcome(r.outcome)]++
		if r.failed {
			failed = append(failed, r.key)
		}
		return true, nil
	})
	if errors.Is(err, errTimeUp) {
		t.Bounded, err = true, nil
	}
	if err == nil {
		t.Causes, err = causesAmong(ctx, l.found.db, failed)
	}
	return t, explainOpen(s.path, err)
}

// causesAtOnce is of how many sessions the findings are read at once.
const causesAtOnce = 4096

// causesAmong counts the causes of some sessions, each once a session.
func causesAmong(ctx context.Context, db *sql.DB, keys []int64) ([]CauseCount, error) {
	counts := map[string]int{}
	for some := range slices.Chunk(keys, causesAtOnce) {
		text, err := json.Marshal(some)
		if err != nil {
			return nil, err
		}
		if err := countCauses(ctx, db, string(text), counts); err != nil {
			return nil, err
		}
	}
	return ranked(counts), nil
}

func countCauses(ctx context.Context, db *sql.DB, keys string, counts map[string]int) error {
	rows, err := db.QueryContext(ctx, `SELECT cause, count(*) FROM (SELECT DISTINCT session, cause
		FROM json_each(?) k CROSS JOIN findings WHERE session = k.value) GROUP BY cause`, keys)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var cause string
		var n int
		if err := rows.Scan(&cause, &n); err != nil {
			return err
		}
		counts[cause] += n
	}
	return rows.Err()
}

func ranked(causes map[string]int) []CauseCount {
	list := make([]CauseCount, 0, len(causes))
	for cause, n := range causes {
		list = append(list, CauseCount{cause, n})
	}
	slices.SortFunc(list, func(a, b CauseCount) int { return cmp.Or(b.N-a.N, cmp.Compare(a.Cause, b.Cause)) })
	return list
}
