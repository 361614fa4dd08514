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
	Older    bool      // there are older ones that the filter selects, or may be
	Newer    bool      // the same of newer ones
	Reached  time.Time // how far back was searched when the time was up; zero when there was time
}

// pageLimit is how many sessions a page has that does not say.
const pageLimit = 50

var errPageFull = errors.New("the page is full")

// Page returns one page of the sessions that a filter selects.
func (s *Store) Page(ctx context.Context, f inspect.Filter, q PageQuery) (Page, error) {
	if q.Limit <= 0 {
		q.Limit = pageLimit
	}
	p := Page{Newer: q.Before != ""}
	what := listing{order: newestFirst}
	from, err := s.cursor(ctx, q)
	if err != nil {
		return p, err
	}
	if q.Before != "" {
		what.order.from = from
	}
	if q.After != "" {
		what.order = oldestFirst
		what.order.from = from
	}
	more := false
	err = s.list(ctx, f, what, func(v *inspect.Session) error {
		if more = len(p.Sessions) == q.Limit; more {
			return errPageFull
		}
		p.Sessions = append(p.Sessions, v)
		return nil
	})
	if errors.Is(err, errPageFull) {
		err = nil
	}
	if q.After != "" {
		slices.Reverse(p.Sessions)
		p.Newer, p.Older = more, true
	} else {
		p.Older = more
	}
	return p, err
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
