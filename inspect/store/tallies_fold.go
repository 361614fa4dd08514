package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"smtp-proxy/inspect"
)

// How long counts stay fresh, and how many at most. It bounds what a reader adds
// up; to fold costs the writer some ten statements.
const (
	foldEvery = 5 * time.Second
	mostFresh = 1000
)

const tallyQuery = `INSERT INTO tallies (step, upstream, kind, at, name, n) VALUES (1, ?, ?, ?, ?, ?)
	ON CONFLICT DO UPDATE SET n = n + excluded.n`

// foldQuery adds what is fresh to slots of one width: to those of each upstream
// that has a name (?3), or to those of all together.
const foldQuery = `INSERT INTO tallies (step, upstream, kind, at, name, n)
	SELECT ?1, iif(?3, upstream, ''), kind, at - at % ?1, name, sum(n) FROM tallies
	WHERE step = 1 AND at >= ?2 AND (NOT ?3 OR upstream <> '') GROUP BY 2, 3, 4, 5
	ON CONFLICT DO UPDATE SET n = n + excluded.n`

// counter keeps what an overview is made of, for one batch.
type counter struct {
	tallies tallies
	waits   waits
	stmt    *sql.Stmt // tallyQuery
	folded  time.Time
	fresh   int   // counts written since then
	trimmed int64 // the hour of the last time
}

func newCounter() counter {
	return counter{tallies: newTallies(), waits: newWaits()}
}

// reset forgets what was not committed. What was waited for is true all the
// same.
func (c *counter) reset() { c.tallies.reset() }

// session counts a session whose row is written, and no longer what the row
// said before.
func (c *counter) session(s *kept, v *inspect.Session) {
	if s.was != nil {
		c.tallies.session(s.key, s.was, -1)
	}
	c.tallies.session(s.key, v, 1)
}

// write adds the transaction's counts to the tables.
func (c *counter) write(tx *sql.Tx, now time.Time) error {
	if err := c.tallies.write(context.Background(), tx.Stmt(c.stmt)); err != nil {
		return err
	}
	if c.waits.due(now) {
		if err := c.waits.write(context.Background(), tx, now); err != nil {
			return err
		}
	}
	c.fresh += len(c.tallies.list)
	if since := now.Sub(c.folded); since >= 0 && since < foldEvery && c.fresh < mostFresh {
		return nil
	}
	c.folded, c.fresh = now, 0
	if err := fold(context.Background(), tx, now); err != nil {
		return err
	}
	if hour := now.Unix() / 3600; hour != c.trimmed {
		c.trimmed = hour
		return trim(context.Background(), tx, now)
	}
	return nil
}

// settle writes what was still waited for, and leaves nothing fresh. When that
// cannot be written no more than a burst of waits is lost.
func (c *counter) settle(s *Store) {
	if s.writer == nil || len(c.waits.slots) == 0 && c.fresh == 0 {
		return
	}
	ctx, now := context.Background(), s.now()
	err := s.inTx(ctx, func(tx *sql.Tx) error { return errors.Join(c.waits.write(ctx, tx, now), fold(ctx, tx, now)) })
	if c.waits.forget(); err == nil {
		c.folded, c.fresh = now, 0
	}
}

func (c *counter) close(s *Store) {
	c.settle(s)
	if c.stmt != nil {
		c.stmt.Close()
	}
}

func (t *tallies) write(ctx context.Context, stmt *sql.Stmt) error {
	for i := range t.list {
		c := &t.list[i]
		if c.n == 0 {
			continue
		}
		if _, err := stmt.ExecContext(ctx, c.upstream, c.kind, c.minute*60, c.name, c.n); err != nil {
			return err
		}
	}
	return nil
}

// fold adds what is fresh to the slots of all widths.
func fold(ctx context.Context, tx *sql.Tx, now time.Time) error {
	for _, s := range steps() {
		for _, named := range [...]bool{false, true} {
			if _, err := tx.ExecContext(ctx, foldQuery, s.seconds, s.horizon(now), named); err != nil {
				return err
			}
		}
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM tallies WHERE step = 1`)
	return err
}

// foldLeft folds what another process, or a migration, has left fresh.
func (s *Store) foldLeft(ctx context.Context) error {
	return s.inTx(ctx, func(tx *sql.Tx) error { return fold(ctx, tx, s.now()) })
}

// trim forgets slots that are too old or empty, and waits from before the
// oldest session.
func trim(ctx context.Context, tx *sql.Tx, now time.Time) error {
	var oldest sql.NullInt64
	if err := tx.QueryRowContext(ctx, `SELECT min(key) FROM sessions`).Scan(&oldest); err != nil {
		return err
	}
	first := oldest.Int64 / keysPerMinute * 60
	for _, s := range steps() {
		if _, err := tx.ExecContext(ctx, `DELETE FROM tallies WHERE step = ? AND (n = 0 OR at < ?)`, s.seconds, s.horizon(now)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM waits WHERE step = ? AND at < ?`, s.seconds, max(s.horizon(now), first-first%s.seconds)); err != nil {
			return err
		}
	}
	return nil
}
