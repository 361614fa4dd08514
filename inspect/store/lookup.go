package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// Session returns one session with its events. id is its id, a prefix that
// only one has, "latest", or "latest-failed". The error is [ErrNotFound] or
// [ErrAmbiguous] when there is not exactly one.
func (s *Store) Session(ctx context.Context, id string) (*inspect.Session, error) {
	at, err := s.find(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.load(ctx, at.key)
}

// find looks a session's place up.
func (s *Store) find(ctx context.Context, id string) (place, error) {
	r, err := s.read()
	if err != nil {
		return place{}, err
	}
	if r == nil {
		return place{}, fmt.Errorf("%w: %s holds no record", ErrNotFound, s.path)
	}
	list, err := candidates(ctx, r.db, strings.TrimSpace(id))
	switch {
	case err != nil:
		return place{}, explainOpen(s.path, err)
	case len(list) == 0:
		return place{}, fmt.Errorf("%w: %q", ErrNotFound, id)
	case len(list) > 1:
		return place{}, fmt.Errorf("%w: %q; give more of the id", ErrAmbiguous, id)
	}
	return list[0], nil
}

// candidates returns up to two sessions that an id may mean.
func candidates(ctx context.Context, db *sql.DB, id string) ([]place, error) {
	switch id {
	case "":
		return nil, nil
	case "latest":
		return placesOf(ctx, db, `SELECT key, block FROM sessions ORDER BY key DESC LIMIT 1`)
	case "latest-failed":
		return placesOf(ctx, db, `SELECT key, block FROM sessions WHERE failed = 1 ORDER BY key DESC LIMIT 1`)
	}
	list, err := placesOf(ctx, db, `SELECT key, block FROM sessions WHERE id = ?`, id)
	if err != nil || len(list) == 1 {
		return list, err
	}
	return placesOf(ctx, db, `SELECT key, block FROM sessions WHERE id >= ? AND id < ? LIMIT 2`, id, id+"\U0010FFFF")
}

func placesOf(ctx context.Context, db *sql.DB, query string, args ...any) ([]place, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []place
	for rows.Next() {
		var p place
		if err := rows.Scan(&p.key, &p.block); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

// load reads a session with all its events.
func (s *Store) load(ctx context.Context, key int64) (*inspect.Session, error) {
	r, err := s.read()
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, ErrNotFound
	}
	v, err := loadSummary(ctx, r.db, s.packer, key)
	if err != nil {
		return nil, explainOpen(s.path, err)
	}
	v.Events, err = loadEvents(ctx, r.db, s.packer, key)
	return v, explainOpen(s.path, err)
}

func loadSummary(ctx context.Context, db *sql.DB, p *packer, key int64) (*inspect.Session, error) {
	var block int64
	if err := db.QueryRowContext(ctx, `SELECT block FROM sessions WHERE key = ?`, key).Scan(&block); err != nil {
		return nil, err
	}
	c := summaries{db: db, packer: p}
	v, err := c.session(ctx, block, key)
	if err == nil && v == nil {
		err = fmt.Errorf("%w: its summary is gone", ErrNotFound)
	}
	return v, err
}

// blocksOf lists the blocks that hold something of a session, oldest first.
func blocksOf(ctx context.Context, db *sql.DB, key int64) ([]int64, error) {
	rows, err := db.QueryContext(ctx, `SELECT block FROM spans WHERE session = ?1 UNION SELECT block FROM sessions WHERE key = ?1 ORDER BY 1`, key)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, rows.Err()
}

// loadEvents reads what the blocks hold of a session's history; it is never
// nil. What can be read is returned beside an error.
func loadEvents(ctx context.Context, db *sql.DB, p *packer, key int64) ([]session.Entry, error) {
	events := []session.Entry{}
	blocks, err := blocksOf(ctx, db, key)
	if err != nil {
		return events, err
	}
	codec := newEntryCodec()
	for _, n := range blocks {
		section, err := readSection(ctx, db, p, "entries", n)
		if err != nil {
			return events, err
		}
		err = eachPiece(section, false, func(p piece) error {
			if p.key != key {
				return nil
			}
			return codec.read(p.data, func(e *session.Entry) error {
				events = append(events, *e)
				return nil
			})
		})
		if err != nil {
			return events, fmt.Errorf("block %d: %w", n, err)
		}
	}
	slices.SortStableFunc(events, func(a, b session.Entry) int { return a.Seq - b.Seq })
	return events, nil
}
