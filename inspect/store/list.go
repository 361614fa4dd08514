package store

import (
	"context"
	"database/sql"
	"fmt"

	"smtp-proxy/inspect"
)

// pageSize is how many rows are read at once; between pages no lock is held,
// however long the caller takes.
const pageSize = 500

// place is where a session stands.
type place struct{ key, block int64 }

// Sessions yields the sessions that a filter selects, newest first, without
// their events; limit 0 is all of them. An error of yield ends it and is
// returned.
func (s *Store) Sessions(ctx context.Context, f inspect.Filter, limit int, yield func(*inspect.Session) error) error {
	return s.list(ctx, f, listing{order: newestFirst, limit: limit}, yield)
}

// listing says what is listed of the sessions that a filter selects.
type listing struct {
	order order
	limit int   // 0 is all
	until int64 // sessions whose summary stands in this block or before; 0 is all
}

// order is a direction to list sessions in.
type order struct {
	step string // SQL: which keys come behind the last one
	sort string
	from int64
}

var (
	newestFirst = order{"key < ?", "key DESC", 1<<63 - 1}
	oldestFirst = order{"key > ?", "key", -1}
)

func (s *Store) list(ctx context.Context, f inspect.Filter, what listing, yield func(*inspect.Session) error) error {
	r, err := s.read()
	if err != nil || r == nil {
		return err
	}
	now := s.now()
	l := &lister{
		db: r.db, found: summaries{db: r.db, packer: s.packer}, filter: f.At(now),
		where: whereOf(f, now), order: what.order, last: what.order.from, left: what.limit,
	}
	if what.until > 0 {
		l.where.and("block <= ?", what.until)
	}
	y := yielder{yield: yield}
	for {
		more, err := l.page(ctx, y.next)
		if err != nil || !more {
			return y.explain(s.path, err)
		}
	}
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

// lister goes through the rows page by page.
type lister struct {
	db     *sql.DB
	found  summaries
	filter inspect.Filter
	where  where
	order  order
	last   int64
	left   int // 0 or less: no limit
}

// page deals with the next rows and reports whether there may be more.
func (l *lister) page(ctx context.Context, yield func(*inspect.Session) error) (more bool, err error) {
	places, err := l.places(ctx)
	if err != nil {
		return false, err
	}
	for _, at := range places {
		l.last = at.key
		v, err := l.found.session(ctx, at.block, at.key)
		if err != nil {
			return false, err
		}
		if v == nil || !l.filter.Match(v) {
			continue
		}
		if err := yield(v); err != nil {
			return false, err
		}
		if l.left--; l.left == 0 {
			return false, nil
		}
	}
	return len(places) == pageSize, nil
}

func (l *lister) places(ctx context.Context) ([]place, error) {
	query := fmt.Sprintf(`SELECT key, block FROM sessions WHERE %s AND %s ORDER BY %s LIMIT %d`, l.where.sql, l.order.step, l.order.sort, pageSize)
	return placesOf(ctx, l.db, query, append(l.where.args[:len(l.where.args):len(l.where.args)], l.last)...)
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
