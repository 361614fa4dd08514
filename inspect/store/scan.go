package store

import (
	"context"
	"database/sql"
	"fmt"
	"io"
)

// order is a direction to list sessions in.
type order struct {
	behind  string // SQL: how a key that comes later compares
	within  string // SQL: how one that comes no later does
	sort    string
	extreme string // SQL: the function that finds the last
	from    int64  // where it begins, itself not included
	end     int64  // behind all keys
}

var (
	newestFirst = order{"<", ">=", "DESC", "min", 1<<63 - 1, -1}
	oldestFirst = order{">", "<=", "ASC", "max", -1, 1<<63 - 1}
)

func (o order) descending() bool { return o.sort == "DESC" }

// later reports whether a key comes behind another one.
func (o order) later(key, than int64) bool {
	if o.descending() {
		return key < than
	}
	return key > than
}

// look is what is searched.
type look struct {
	db    *sql.DB
	where where
	order order
	limit int // how many are wanted; 0 is all

	columns string // of the rows
}

// rows returns the rows between two keys, of which the last is included.
func (l *look) rows(ctx context.Context, from, to int64) ([]row, error) {
	query := fmt.Sprintf(`SELECT `+l.columns+` FROM sessions WHERE key %s ? AND key %s ? AND %s ORDER BY key %s`,
		l.order.behind, l.order.within, l.where.sql, l.order.sort)
	return rowsOf(ctx, l.db, query, append([]any{from, to}, l.where.args...)...)
}

// How many rows are looked at in one go: more when none is found among the
// first, no more than what takes some hundredths of a second.
const (
	firstWindow = 500
	maxWindow   = 16_000
)

// scan looks at all rows, some at a time.
type scan struct {
	*look
	last   int64 // the row that was looked at last
	end    int64 // in front of it is the last that counts
	window int
	done   bool
}

func (l *look) scan(from, end int64) *scan {
	s := &scan{look: l, last: from, end: end, window: firstWindow}
	if l.where.args == nil && l.limit > 0 { // all of them will be taken
		s.window = min(s.window, l.limit)
	}
	return s
}

func (s *scan) reached() int64 { return s.last }

func (s *scan) next(ctx context.Context) ([]row, error) {
	if s.done {
		return nil, io.EOF
	}
	edge, err := s.edge(ctx)
	if err != nil || s.done {
		return nil, err
	}
	list, err := s.rows(ctx, s.last, edge)
	s.last, s.window = edge, min(2*s.window, maxWindow)
	return list, err
}

// edge finds the last row of the next window.
func (s *scan) edge(ctx context.Context) (int64, error) {
	query := fmt.Sprintf(`SELECT %s(key) FROM (SELECT key FROM sessions WHERE key %s ?1 AND key %s ?2 AND key <> ?2 ORDER BY key %s LIMIT ?3)`,
		s.order.extreme, s.order.behind, s.order.within, s.order.sort)
	var edge sql.NullInt64
	err := s.db.QueryRowContext(ctx, query, s.last, s.end, s.window).Scan(&edge)
	s.done = !edge.Valid
	return edge.Int64, err
}
