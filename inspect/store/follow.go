package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"smtp-proxy/inspect"
)

// followEvery is how often a follower looks whether something has come.
const followEvery = 150 * time.Millisecond

// Follow yields sessions as they change, without their events, until the
// context ends: first those that began since a moment (none when it is zero),
// oldest first, then each one whenever it has grown, ended, or got other
// findings. It works from another process, and waits for a store that is not
// there yet. The end of the context is no error.
func (s *Store) Follow(ctx context.Context, since time.Time, f inspect.Filter, yield func(*inspect.Session) error) error {
	w := &follower{store: s, filter: f, yielder: yielder{yield: yield}}
	err := w.run(ctx, since)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

type follower struct {
	store  *Store
	filter inspect.Filter
	yielder
	last   int64 // the last block seen
	shakes handshakes
}

func (w *follower) run(ctx context.Context, since time.Time) error {
	if err := w.begin(ctx, since); err != nil {
		return err
	}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		if err := w.look(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// begin remembers where the blocks end now and yields what is there.
func (w *follower) begin(ctx context.Context, since time.Time) error {
	r, err := w.store.read()
	if err != nil || r == nil {
		return err
	}
	if w.last, err = lastBlock(ctx, r.db); err != nil {
		return explainOpen(w.store.path, err)
	}
	if since.IsZero() || w.last == 0 {
		return nil
	}
	from, err := inspect.ParseFilter("since:" + since.UTC().Format(time.RFC3339Nano))
	if err != nil {
		return err
	}
	return w.store.list(ctx, w.filter.With(from), listing{order: oldestFirst, until: w.last}, w.next)
}

func lastBlock(ctx context.Context, db *sql.DB) (n int64, err error) {
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(n), 0) FROM blocks`).Scan(&n)
	return n, err
}

// look yields what has come since the last look.
func (w *follower) look(ctx context.Context) error {
	r, err := w.store.read()
	if err != nil || r == nil {
		return err
	}
	end, err := lastBlock(ctx, r.db)
	if err != nil {
		return explainOpen(w.store.path, err)
	}
	if end < w.last { // another database stands there now
		w.last = 0
	}
	for w.last < end {
		if err := w.block(ctx, r.db, w.last+1); err != nil {
			return w.explain(w.store.path, err)
		}
		w.last++
	}
	return nil
}

// block yields the sessions of one block. Of several summaries of a session
// the last counts.
func (w *follower) block(ctx context.Context, db *sql.DB, n int64) error {
	section, err := readSection(ctx, db, w.store.packer, "summaries", n)
	if err != nil {
		return err
	}
	return eachPiece(section, false, func(p piece) error {
		v, err := w.shakes.readSummary(p.data)
		if err != nil {
			return fmt.Errorf("block %d: %w", n, err)
		}
		if !w.filter.At(w.store.now()).Match(v) {
			return nil
		}
		return w.next(v)
	})
}
