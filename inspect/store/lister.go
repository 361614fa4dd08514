package store

import (
	"context"
	"errors"
	"io"
	"time"

	"smtp-proxy/inspect"
)

// lister goes through the rows that a filter may select, and asks the summary
// where the row is not sure.
type lister struct {
	rows    source
	found   summaries
	filter  inspect.Filter
	texts   literals
	left    int       // 0 or less: no limit
	until   time.Time // when to stop; zero: never
	reached int64     // the key of the row that was looked at last
	from    int64     // where the search began

	descending bool
}

// source is where rows come from, in the order of a list.
type source interface {
	// next returns some more rows, which may be none; io.EOF says that there
	// are no more. No lock is held in between, however long the caller takes.
	next(ctx context.Context) ([]row, error)
	// reached is a key that all rows before it have been looked at.
	reached() int64
}

// errTimeUp ends a search that has taken as long as it may.
var errTimeUp = errors.New("the time for searching is up")

// lister prepares a list; nil when there is no store.
func (s *Store) lister(ctx context.Context, f inspect.Filter, what listing) (*lister, error) {
	r, err := s.read()
	if err != nil || r == nil {
		return nil, err
	}
	now := s.now()
	f = f.At(now)
	l := &lister{found: summaries{db: r.db, packer: s.packer}, filter: f, texts: literalsOf(f), left: what.limit, descending: what.order.descending()}
	if what.within > 0 {
		l.until = time.Now().Add(what.within)
	}
	look := &look{db: r.db, where: whereOf(f, now), order: what.order, limit: what.limit, columns: placeColumns}
	if what.counts || judgesRows(f) {
		look.columns = rowColumns
	}
	if what.until > 0 {
		look.where.and("block <= ?", what.until)
	}
	if l.rows, err = look.source(ctx, f, r.version); err != nil {
		return nil, explainOpen(s.path, err)
	}
	l.from = look.order.from
	l.reached = l.from
	return l, nil
}

// each yields the rows that the filter selects, with their summaries where
// these had to be read; yield says whether a row counts. The error is
// errTimeUp when there was no time for all.
func (l *lister) each(ctx context.Context, yield func(*row, *inspect.Session) (bool, error)) error {
	for {
		rows, err := l.rows.next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for i := range rows {
			if err := l.one(ctx, &rows[i], yield); err != nil {
				if errors.Is(err, io.EOF) {
					return nil
				}
				return err
			}
		}
		l.reached = l.rows.reached()
		if l.timeUp() {
			return errTimeUp
		}
	}
}

// one deals with a row; io.EOF says that the limit is reached.
func (l *lister) one(ctx context.Context, r *row, yield func(*row, *inspect.Session) (bool, error)) error {
	v, selected, err := l.selects(ctx, r)
	if err != nil {
		return err
	}
	l.reached = r.key
	if !selected {
		return nil
	}
	counts, err := yield(r, v)
	if err != nil || !counts {
		return err
	}
	if l.left--; l.left == 0 {
		return io.EOF
	}
	return nil
}

// selects reports whether the filter selects a row, with the summary if it took
// that to tell.
func (l *lister) selects(ctx context.Context, r *row) (*inspect.Session, bool, error) {
	switch r.judge(l.filter) {
	case no:
		return nil, false, nil
	case yes:
		return nil, true, nil
	}
	if l.timeUp() {
		return nil, false, errTimeUp
	}
	v, err := l.found.sessionWith(ctx, r.place, l.texts)
	return v, v != nil && l.filter.Match(v), err
}

// timeUp reports whether the search is to stop. Each comes a few microseconds
// further at least, so that who goes on from there never stays where he is.
func (l *lister) timeUp() bool {
	further := max(l.reached-l.from, l.from-l.reached) >= 4*keysPerMicro
	return further && !l.until.IsZero() && time.Now().After(l.until)
}
