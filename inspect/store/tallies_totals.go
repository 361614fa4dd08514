package store

import (
	"context"
	"database/sql"
	"fmt"

	"smtp-proxy/inspect"
)

// Totals counts all sessions by outcome and by cause without looking at them.
// Those that are open count as such, whatever has been found in them so far.
func (s *Store) Totals(ctx context.Context) (Tally, error) {
	t := Tally{Outcomes: map[inspect.Outcome]int{}}
	causes := map[string]int{}
	err := s.snapshot(ctx, func(tx *sql.Tx) error {
		all := tallySpan{step: stepAll, until: 1<<63 - 1}
		err := all.each(ctx, tx, tallyOutcome, func(_ int64, name string, n int) {
			t.Outcomes[inspect.Outcome(name)] += n
			t.All += n
		})
		if err != nil {
			return err
		}
		if err := all.each(ctx, tx, tallyCause, func(_ int64, name string, n int) { causes[name] += n }); err != nil {
			return err
		}
		open := 0
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sessions WHERE ended = 0`).Scan(&open); err != nil {
			return err
		}
		if open > 0 {
			t.Outcomes[inspect.Open] += open
			t.All += open
		}
		return nil
	})
	clean(t.Outcomes)
	clean(causes)
	t.Causes = ranked(causes)
	return t, err
}

// clean removes what there is none of any more.
func clean[K comparable](counts map[K]int) {
	for what, n := range counts {
		if n <= 0 {
			delete(counts, what)
		}
	}
}

// Size returns how many octets the record takes, the files of large messages
// included, and how many sessions it has.
func (s *Store) Size(ctx context.Context) (bytes, sessions int64, err error) {
	err = s.snapshot(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, usedQuery).Scan(&bytes); err != nil {
			return err
		}
		all := tallySpan{step: stepAll, until: 1<<63 - 1}
		if err := all.each(ctx, tx, tallyOutcome, func(_ int64, _ string, n int) { sessions += int64(n) }); err != nil {
			return err
		}
		open := int64(0)
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sessions WHERE ended = 0`).Scan(&open)
		sessions += open
		return err
	})
	return bytes, sessions, err
}

// usedQuery sums up the pages that hold something and the files of large
// messages.
const usedQuery = `SELECT (page_count - freelist_count) * page_size + (SELECT coalesce(sum(size), 0) FROM bodies)
	FROM pragma_page_count, pragma_freelist_count, pragma_page_size`

// snapshot asks several questions of one state of the record; none when there
// is no record.
func (s *Store) snapshot(ctx context.Context, ask func(*sql.Tx) error) error {
	r, err := s.read()
	if err != nil || r == nil {
		return err
	}
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return explainOpen(s.path, err)
	}
	defer tx.Rollback()
	var counted bool
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'waits'`).Scan(&counted); err != nil {
		return explainOpen(s.path, err)
	}
	if !counted {
		return fmt.Errorf("%s was written by an older smtp-proxy and has no counts: start this one on it once", s.path)
	}
	return explainOpen(s.path, ask(tx))
}
