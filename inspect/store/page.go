package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"smtp-proxy/inspect"
)

// PageQuery says which page of a list is wanted.
type PageQuery struct {
	Before string        // id: the page of sessions older than this one; empty for the newest
	After  string        // id: the page of sessions newer than this one
	Limit  int           // sessions; 0 is 50
	Within time.Duration // how long may be searched; 0 is as long as it takes
}

// Page is some sessions of a list, newest first, without their events.
type Page struct {
	Sessions []*inspect.Session
	Older    bool // there are older ones that the filter selects, or may be
	Newer    bool // the same of newer ones
	// Reached is how far was searched when the time was up; zero when there was
	// time. All digits of it (microseconds) count for who goes on with before:
	// or, behind After, since: this moment.
	Reached time.Time
}

// pageLimit is how many sessions a page has that does not say.
const pageLimit = 50

// Page returns one page of the sessions that a filter selects.
func (s *Store) Page(ctx context.Context, f inspect.Filter, q PageQuery) (Page, error) {
	if q.Limit <= 0 {
		q.Limit = pageLimit
	}
	from, err := s.cursor(ctx, q)
	if err != nil {
		return Page{}, err
	}
	what := listing{order: newestFirst, limit: q.Limit + 1, within: q.Within}
	if q.After != "" {
		what.order = oldestFirst
	}
	if q.Before != "" || q.After != "" {
		what.order.from = from
	}
	l, err := s.lister(ctx, f, what)
	if err != nil || l == nil {
		return Page{}, err
	}
	return l.fill(ctx, q, s.path)
}

// fill lists the sessions of a page, and one more to know whether there is one.
func (l *lister) fill(ctx context.Context, q PageQuery, path string) (p Page, err error) {
	err = l.each(ctx, func(r *row, v *inspect.Session) (_ bool, err error) {
		if v == nil {
			if v, err = l.found.session(ctx, r.block, r.key); err != nil || v == nil {
				return false, err
			}
		}
		p.Sessions = append(p.Sessions, v)
		return true, nil
	})
	more := len(p.Sessions) > q.Limit
	if more {
		p.Sessions = p.Sessions[:q.Limit]
	}
	if errors.Is(err, errTimeUp) {
		p.Reached, more, err = l.moment(), true, nil
	}
	p.Newer, p.Older = q.Before != "", more
	if q.After != "" {
		slices.Reverse(p.Sessions)
		p.Newer, p.Older = more, true
	}
	return p, explainOpen(path, err)
}

// moment returns a time behind which nothing has been looked at.
func (l *lister) moment() time.Time {
	at := time.UnixMicro(l.reached / keysPerMicro).UTC()
	if l.descending { // there may be more in the same microsecond
		at = at.Add(time.Microsecond)
	}
	return at
}

// cursor finds the key of the session that a page begins behind.
func (s *Store) cursor(ctx context.Context, q PageQuery) (int64, error) {
	id := q.Before
	if q.After != "" {
		id = q.After
	}
	if id == "" {
		return 0, nil
	}
	at, err := s.find(ctx, id)
	return at.key, err
}
