package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"smtp-proxy/inspect"
)

// summaries reads sessions out of blocks. It keeps the last few blocks:
// sessions that are listed together mostly stand together.
type summaries struct {
	db     *sql.DB
	packer *packer
	cache  [4]cachedBlock
	next   int
	shakes handshakes
}

type cachedBlock struct {
	n     int64
	byKey map[int64]*summaryPiece
}

// summaryPiece is the summary of a session as it is written.
type summaryPiece struct {
	data   []byte
	folded []byte // in lower case, once that was wanted
	wide   bool   // it is not ASCII
}

// session returns the summary of a session, nil when the block is gone.
func (c *summaries) session(ctx context.Context, block, key int64) (*inspect.Session, error) {
	return c.sessionWith(ctx, place{key, block}, nil)
}

// sessionWith returns the summary of a session if it may have some literals in
// it, else nil.
func (c *summaries) sessionWith(ctx context.Context, at place, texts literals) (*inspect.Session, error) {
	byKey, err := c.block(ctx, at.block)
	if err != nil || byKey[at.key] == nil || !texts.in(byKey[at.key]) {
		return nil, err
	}
	return c.shakes.readSummary(byKey[at.key].data)
}

func (c *summaries) block(ctx context.Context, n int64) (map[int64]*summaryPiece, error) {
	for i := range c.cache {
		if c.cache[i].byKey != nil && c.cache[i].n == n {
			return c.cache[i].byKey, nil
		}
	}
	section, err := readSection(ctx, c.db, c.packer, "summaries", n)
	if err != nil {
		return nil, err
	}
	byKey := map[int64]*summaryPiece{}
	err = eachPiece(section, false, func(p piece) error {
		byKey[p.key] = &summaryPiece{data: p.data}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", n, err)
	}
	c.cache[c.next] = cachedBlock{n, byKey}
	c.next = (c.next + 1) % len(c.cache)
	return byKey, nil
}

// readSection returns a section of a block, nil when there is none or the
// block is gone.
func readSection(ctx context.Context, db *sql.DB, p *packer, section string, n int64) ([]byte, error) {
	var stored []byte
	err := db.QueryRowContext(ctx, `SELECT `+section+` FROM blocks WHERE n = ?`, n).Scan(&stored)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", n, err)
	}
	plain, err := p.unpack(stored)
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", n, err)
	}
	return plain, nil
}
