package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"smtp-proxy/inspect"
)

// Change is a session as a block has it, without its events.
type Change struct {
	Block   int64 // where this state of it stands; later states stand in greater ones
	Session *inspect.Session
}

// Changes are sessions that have begun, grown, ended or got other findings.
type Changes struct {
	List    []Change // in the order in which they were written, each session once and as it stands last
	Last    int64    // the last block: what to ask for changes after next time
	Skipped int      // further sessions that have changed; at least so many when there is very much
}

// changedBlocks is how many blocks are looked into at once for what has
// changed: as much as comes in several seconds of heavy load.
const changedBlocks = 16

// Changes returns which sessions have changed after a block: no more than most
// of them, the latest. After a negative number it returns none, and where the
// blocks end now.
func (s *Store) Changes(ctx context.Context, after int64, most int) (c Changes, err error) {
	r, err := s.read()
	if err != nil || r == nil {
		return c, err
	}
	if c.Last, err = lastBlock(ctx, r.db); err != nil {
		return c, explainOpen(s.path, err)
	}
	if after < 0 {
		return c, nil
	}
	if after > c.Last { // another database stands there now
		after = 0
	}
	w := changes{db: r.db, packer: s.packer, most: most, seen: map[int64]bool{}}
	if err := w.back(ctx, c.Last, after); err != nil {
		return c, explainOpen(s.path, err)
	}
	slices.Reverse(w.list)
	c.List, c.Skipped = w.list, w.skipped
	return c, nil
}

// changes collects what has changed, the latest first: what is not wanted any
// more need not be read.
type changes struct {
	db      *sql.DB
	packer  *packer
	most    int
	seen    map[int64]bool
	shakes  handshakes
	list    []Change
	skipped int
}

func (w *changes) back(ctx context.Context, last, after int64) error {
	n := last
	for ; n > after && n > last-changedBlocks; n-- {
		if err := w.block(ctx, n); err != nil {
			return err
		}
	}
	w.skipped += int(n - after) // a block has a session at least
	return nil
}

func (w *changes) block(ctx context.Context, n int64) error {
	section, err := readSection(ctx, w.db, w.packer, "summaries", n)
	if err != nil {
		return err
	}
	var pieces []piece
	err = eachPiece(section, false, func(p piece) error {
		pieces = append(pieces, p)
		return nil
	})
	if err != nil {
		return fmt.Errorf("block %d: %w", n, err)
	}
	for _, p := range slices.Backward(pieces) {
		if err := w.piece(n, p); err != nil {
			return fmt.Errorf("block %d: %w", n, err)
		}
	}
	return nil
}

func (w *changes) piece(n int64, p piece) error {
	if w.seen[p.key] {
		return nil
	}
	w.seen[p.key] = true
	if len(w.list) >= w.most {
		w.skipped++
		return nil
	}
	v, err := w.shakes.readSummary(p.data)
	if err == nil {
		w.list = append(w.list, Change{n, v})
	}
	return err
}
