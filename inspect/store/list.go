package store

import (
	"context"
	"time"

	"smtp-proxy/inspect"
)

// Sessions yields the sessions that a filter selects, newest first, without
// their events; limit 0 is all of them. An error of yield ends it and is
// returned.
func (s *Store) Sessions(ctx context.Context, f inspect.Filter, limit int, yield func(*inspect.Session) error) error {
	return s.list(ctx, f, listing{order: newestFirst, limit: limit}, yield)
}

// listing says what is listed of the sessions that a filter selects.
type listing struct {
	order  order
	limit  int           // 0 is all
	until  int64         // sessions whose summary stands in this block or before; 0 is all
	within time.Duration // how long may be searched; 0 is as long as it takes
	counts bool          // the outcomes of rows are wanted
}

func (s *Store) list(ctx context.Context, f inspect.Filter, what listing, yield func(*inspect.Session) error) error {
	l, err := s.lister(ctx, f, what)
	if err != nil || l == nil {
		return err
	}
	y := yielder{yield: yield}
	err = l.each(ctx, func(r *row, v *inspect.Session) (_ bool, err error) {
		if v == nil {
			if v, err = l.found.session(ctx, r.block, r.key); err != nil || v == nil {
				return false, err
			}
		}
		return true, y.next(v)
	})
	return y.explain(s.path, err)
}

// yielder tells the caller's own errors from those of the database.
type yielder struct {
	yield func(*inspect.Session) error
	err   error
}

func (y *yielder) next(v *inspect.Session) error {
	y.err = y.yield(v)
	return y.err
}

func (y *yielder) explain(path string, err error) error {
	if y.err != nil {
		return y.err
	}
	return explainOpen(path, err)
}

// Count returns how many sessions there are, and how many of them went wrong.
func (s *Store) Count(ctx context.Context) (all, failed int, err error) {
	r, err := s.read()
	if err != nil || r == nil {
		return 0, 0, err
	}
	err = r.db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM sessions WHERE failed = 1)`).Scan(&all, &failed)
	return all, failed, explainOpen(s.path, err)
}
