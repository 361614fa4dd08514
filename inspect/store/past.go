package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"smtp-proxy/inspect"
)

// pastWait is how long a question about earlier sessions may take: the keeper
// waits for the answer. It is asked once for each upstream.
const pastWait = 2 * time.Second

// worked are the outcomes of sessions in which mail was accepted.
var worked = [...]inspect.Outcome{inspect.Delivered, inspect.Partial}

// ended are all outcomes of sessions that have ended.
var ended = [...]inspect.Outcome{inspect.Delivered, inspect.Partial, inspect.Rejected, inspect.Failed, inspect.Aborted, inspect.NoMail}

// Recent returns sessions to an upstream (host:port as configured) that began
// after a moment and have ended: newest first, without events, no more than
// limit.
func (s *Store) Recent(upstream string, since time.Time, limit int) (list []*inspect.Session, err error) {
	err = s.ask(func(ctx context.Context, db *sql.DB) error {
		places, err := placesTo(ctx, db, upstream, ended[:], keyAt(since), limit)
		if err != nil {
			return err
		}
		found := summaries{db: db, packer: s.packer}
		for _, at := range places {
			v, err := found.session(ctx, at.block, at.key)
			if err != nil {
				return err
			}
			if v != nil && !v.Ended.IsZero() {
				list = append(list, v)
			}
		}
		return nil
	})
	return list, err
}

// LastGood returns the latest session in which an upstream accepted mail, with
// its events; nil when there is none.
func (s *Store) LastGood(upstream string) (v *inspect.Session, err error) {
	err = s.ask(func(ctx context.Context, db *sql.DB) error {
		places, err := placesTo(ctx, db, upstream, worked[:], 0, 1)
		if err == nil {
			v, err = s.first(ctx, places)
		}
		return err
	})
	return v, err
}

// searched is how many of the latest sessions are searched for one on a route:
// there is no index.
const searched = 2000

// LastGoodOn returns the latest session on a route in which mail was accepted,
// with its events; nil when there is none of late.
func (s *Store) LastGoodOn(route string) (v *inspect.Session, err error) {
	err = s.ask(func(ctx context.Context, db *sql.DB) error {
		places, err := placesOf(ctx, db, `SELECT key, block FROM (SELECT key, block, route, outcome FROM sessions ORDER BY key DESC LIMIT ?)
			WHERE route = ? AND outcome IN (?, ?) ORDER BY key DESC LIMIT 1`, searched, route, worked[0], worked[1])
		if err == nil {
			v, err = s.first(ctx, places)
		}
		return err
	})
	return v, err
}

// placesTo finds the latest sessions to an upstream. The index is ordered by
// outcome first, so each is asked for by itself.
func placesTo(ctx context.Context, db *sql.DB, upstream string, outcomes []inspect.Outcome, since int64, limit int) (all []place, err error) {
	for _, outcome := range outcomes {
		list, err := placesOf(ctx, db, `SELECT key, block FROM sessions WHERE upstream = ? AND outcome = ? AND key >= ? ORDER BY key DESC LIMIT ?`,
			upstream, outcome, since, limit)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	slices.SortFunc(all, func(a, b place) int { return cmp.Compare(b.key, a.key) })
	return all[:min(len(all), limit)], nil
}

// first reads the first session of a list, nil when that is empty.
func (s *Store) first(ctx context.Context, places []place) (*inspect.Session, error) {
	if len(places) == 0 {
		return nil, nil
	}
	v, err := s.load(ctx, places[0].key)
	if errors.Is(err, ErrNotFound) || errors.Is(err, sql.ErrNoRows) { // removed meanwhile
		return nil, nil
	}
	return v, err
}

// ask puts a question to the database, if there is one.
func (s *Store) ask(question func(context.Context, *sql.DB) error) error {
	if s == nil {
		return nil
	}
	r, err := s.read()
	if err != nil || r == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), pastWait)
	defer cancel()
	return explainOpen(s.path, question(ctx, r.db))
}
