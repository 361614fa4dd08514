package store

import (
	"context"
	"database/sql"
)

// tallySpan says which counts are wanted: those of the slots of one width that
// begin from since on and before until, in seconds since 1970.
type tallySpan struct {
	step         int64
	upstream     string // empty for all together
	since, until int64
}

// slotsQuery finds counts in slots, and those that are in none yet.
const slotsQuery = `SELECT at, name, n FROM tallies WHERE step = ?1 AND upstream = ?2 AND kind = ?3 AND at >= ?4 AND at < ?5
	UNION ALL SELECT at - at % ?1, name, n FROM tallies WHERE step = 1 AND kind = ?3 AND at >= ?4 AND at < ?5 AND (?2 = '' OR upstream = ?2)`

// sums adds up the counts of a kind by name.
func (s tallySpan) sums(ctx context.Context, tx *sql.Tx, kind string) (map[string]int, error) {
	rows, err := tx.QueryContext(ctx, `SELECT name, sum(n) FROM (`+slotsQuery+`) GROUP BY name`, s.step, s.upstream, kind, s.since, s.until)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	counts := map[string]int{}
	for rows.Next() {
		var name string
		var n int
		if err := rows.Scan(&name, &n); err != nil {
			return nil, err
		}
		if n > 0 {
			counts[name] = n
		}
	}
	return counts, rows.Err()
}

// of is the same span of one upstream.
func (s tallySpan) of(upstream string) tallySpan {
	s.upstream = upstream
	return s
}

// each yields the counts of a kind. There may be several of one slot and name.
func (s tallySpan) each(ctx context.Context, tx *sql.Tx, kind string, yield func(at int64, name string, n int)) error {
	rows, err := tx.QueryContext(ctx, slotsQuery, s.step, s.upstream, kind, s.since, s.until)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var at int64
		var name string
		var n int
		if err := rows.Scan(&at, &name, &n); err != nil {
			return err
		}
		yield(at, name, n)
	}
	return rows.Err()
}
