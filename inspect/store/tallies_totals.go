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
	err := s.snapshot(ctx, func(tx *sql.Tx) error {
		outcomes, err := everything().sums(ctx, tx, tallyOutcome)
		if err != nil {
			return err
		}
		causes, err := everything().sums(ctx, tx, tallyCause)
		if err != nil {
			return err
		}
		open := 0
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sessions WHERE ended = 0`).Scan(&open); err != nil {
			return err
		}
		if open > 0 {
			outcomes[string(inspect.Open)] += open
		}
		for outcome, n := range outcomes {
			t.Outcomes[inspect.Outcome(outcome)] = n
			t.All += n
		}
		t.Causes = ranked(causes)
		return nil
	})
	return t, err
}

// everything is the span of all sessions to all upstreams.
func everything() tallySpan { return tallySpan{step: stepAll, until: 1<<63 - 1} }

// Size returns how many octets the record takes, the files of large messages
// included, and how many sessions it has.
func (s *Store) Size(ctx context.Context) (bytes, sessions int64, err error) {
	err = s.snapshot(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, usedQuery).Scan(&bytes)
	})
	if err != nil {
		return 0, 0, err
	}
	t, err := s.Totals(ctx)
	return bytes, int64(t.All), err
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
	if r.version < schemaOfTotals {
		return fmt.Errorf("%s was written by an older smtp-proxy and has no counts: start this one on it once", s.path)
	}
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return explainOpen(s.path, err)
	}
	defer tx.Rollback()
	return explainOpen(s.path, ask(tx))
}
