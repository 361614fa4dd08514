package store

import (
	"context"
	"database/sql"
	"fmt"

	"smtp-proxy/inspect"
)

// Resume returns how sessions stood in the blocks after one, the oldest block
// first: whoever goes on from Last misses nothing, and has memory for no more
// than about enough changes, or the sessions of one block. A number behind the
// last block is another database's, and means from the beginning.
func (s *Store) Resume(ctx context.Context, after int64, enough int) (c Changes, err error) {
	r, err := s.read()
	if err != nil || r == nil {
		return c, err
	}
	end, err := lastBlock(ctx, r.db)
	if err != nil {
		return c, explainOpen(s.path, err)
	}
	if c.Last = after; after > end {
		c.Last = 0
	}
	w := resumed{db: r.db, packer: s.packer}
	for c.Last < end && len(w.list) < enough {
		if c.Last, err = w.next(ctx, c.Last, end); err != nil {
			return c, explainOpen(s.path, err)
		}
	}
	c.List = w.list
	return c, nil
}

// resumed collects changes from the oldest on.
type resumed struct {
	db     *sql.DB
	packer *packer
	shakes handshakes
	list   []Change
}

// next reads the first block after one, and returns its number: end when there
// is none.
func (w *resumed) next(ctx context.Context, after, end int64) (n int64, err error) {
	err = w.db.QueryRowContext(ctx, `SELECT coalesce(min(n), ?2) FROM blocks WHERE n > ?1`, after, end).Scan(&n)
	if err != nil {
		return after, err
	}
	section, err := readSection(ctx, w.db, w.packer, "summaries", n)
	if err != nil {
		return after, err
	}
	stood := map[int64]*inspect.Session{} // of several summaries of a session the last counts
	var order []int64
	err = eachPiece(section, false, func(p piece) error {
		v, err := w.shakes.readSummary(p.data)
		if _, again := stood[p.key]; !again {
			order = append(order, p.key)
		}
		stood[p.key] = v
		return err
	})
	if err != nil {
		return after, fmt.Errorf("block %d: %w", n, err)
	}
	for _, key := range order {
		w.list = append(w.list, Change{n, stood[key]})
	}
	return n, nil
}
