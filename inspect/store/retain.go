package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// How much one transaction of a clean-up does, so that the writer never waits
// long.
const (
	retainBlocks   = 50
	retainSessions = 500
	retainPages    = 500
)

// Retain removes what is older than keep, and then, while the record is
// larger than maxBytes, the oldest bodies and after them the oldest sessions.
// Sessions that are open stay. Zero or less is no limit. The file shrinks.
func (s *Store) Retain(ctx context.Context, keep time.Duration, maxBytes int64) error {
	if s.writer == nil {
		return fmt.Errorf("%s is open for reading only", s.path)
	}
	if keep > 0 {
		if err := s.retainAge(ctx, s.now().Add(-keep)); err != nil {
			return fmt.Errorf("remove old sessions from %s: %w", s.path, err)
		}
	}
	if maxBytes > 0 {
		if err := s.retainSize(ctx, maxBytes); err != nil {
			return fmt.Errorf("shrink %s: %w", s.path, err)
		}
	}
	return s.giveBack(ctx)
}

func (s *Store) retainAge(ctx context.Context, oldest time.Time) error {
	limit := keyAt(oldest)
	for {
		n, err := s.deleteSessions(ctx, limit)
		if err != nil {
			return err
		}
		if n == 0 {
			return s.deleteRest(ctx)
		}
	}
}

// deleteSessions deletes some of the sessions that began before a key and have
// ended.
func (s *Store) deleteSessions(ctx context.Context, before int64) (n int64, err error) {
	var files []string
	err = s.inTx(ctx, func(tx *sql.Tx) (err error) {
		const some = `SELECT key FROM sessions WHERE key < ?1 AND ended <> 0 ORDER BY key LIMIT ?2`
		if err := takeOff(ctx, tx, some, before, retainSessions); err != nil {
			return err
		}
		for _, query := range []string{
			`DELETE FROM findings WHERE session IN (` + some + `)`,
			`DELETE FROM spans WHERE session IN (` + some + `)`,
		} {
			if _, err := tx.ExecContext(ctx, query, before, retainSessions); err != nil {
				return err
			}
		}
		if files, err = dropFiles(ctx, tx, `session IN (`+some+`)`, before, retainSessions); err != nil {
			return err
		}
		r, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE key IN (`+some+`)`, before, retainSessions)
		if err != nil {
			return err
		}
		n, err = r.RowsAffected()
		return err
	})
	if err == nil {
		bodiesBeside(s.path).remove(files)
	}
	return n, err
}

// deleteRest deletes what is left of sessions that were deleted.
func (s *Store) deleteRest(ctx context.Context) error {
	if err := s.deleteBlocks(ctx); err != nil {
		return err
	}
	return s.deleteWords(ctx)
}

// deleteBlocks deletes the blocks that belong to no session any more: those
// whose newest session began before the oldest one that is left.
func (s *Store) deleteBlocks(ctx context.Context) error {
	for {
		r, err := s.writer.ExecContext(ctx, `DELETE FROM blocks WHERE n IN (SELECT n FROM blocks
			WHERE newest < coalesce((SELECT min(key) FROM sessions), 9223372036854775807) LIMIT ?)`, retainBlocks)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return err
		}
	}
}

// retainSize removes the oldest until the rest fits: bodies while there are
// any, then sessions.
func (s *Store) retainSize(ctx context.Context, maxBytes int64) error {
	for {
		used, err := s.used(ctx)
		if err != nil || used <= maxBytes {
			return err
		}
		n, err := s.dropBodies(ctx)
		if err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		if n, err = s.deleteSessions(ctx, 1<<63-1); err != nil || n == 0 {
			return err
		}
		if err := s.deleteRest(ctx); err != nil {
			return err
		}
	}
}

// dropBodies removes some of the oldest bodies: those of up to retainBlocks
// blocks, no further than the oldest that has a file. A message that is under
// way keeps its file.
func (s *Store) dropBodies(ctx context.Context) (n int64, err error) {
	const ended = `(SELECT ended FROM sessions WHERE key = session) <> 0`
	var files []string
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		var upTo sql.NullInt64
		err := tx.QueryRowContext(ctx, `SELECT min(coalesce((SELECT min(block) FROM bodies WHERE `+ended+`), 9223372036854775807),
			coalesce((SELECT max(n) FROM (SELECT n FROM blocks WHERE bodies IS NOT NULL ORDER BY n LIMIT ?)), 9223372036854775807))`, retainBlocks).Scan(&upTo)
		if err != nil {
			return err
		}
		r, err := tx.ExecContext(ctx, `UPDATE blocks SET bodies = NULL WHERE bodies IS NOT NULL AND n <= ?`, upTo.Int64)
		if err != nil {
			return err
		}
		if n, err = r.RowsAffected(); err != nil {
			return err
		}
		files, err = dropFiles(ctx, tx, `block <= ? AND `+ended, upTo.Int64)
		return err
	})
	if err == nil {
		bodiesBeside(s.path).remove(files)
	}
	return n + int64(len(files)), err
}

// dropFiles deletes rows of large messages and names their files, which may go
// once that is committed.
func dropFiles(ctx context.Context, tx *sql.Tx, where string, args ...any) (names []string, err error) {
	rows, err := tx.QueryContext(ctx, `DELETE FROM bodies WHERE `+where+` RETURNING session, message`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var key int64
		var message int
		if err := rows.Scan(&key, &message); err != nil {
			return nil, err
		}
		names = append(names, bodyName(key, message))
	}
	return names, rows.Err()
}

// used returns how many octets of the database hold something, the files of
// large messages included.
func (s *Store) used(ctx context.Context) (int64, error) {
	var n int64
	err := s.writer.QueryRowContext(ctx, usedQuery).Scan(&n)
	return n, err
}

// giveBack hands free pages back to the file system.
func (s *Store) giveBack(ctx context.Context) error {
	for {
		var free int64
		if err := s.writer.QueryRowContext(ctx, `PRAGMA freelist_count`).Scan(&free); err != nil || free == 0 {
			return err
		}
		if _, err := s.writer.ExecContext(ctx, fmt.Sprintf(`PRAGMA incremental_vacuum(%d)`, retainPages)); err != nil {
			return fmt.Errorf("shrink %s: %w", s.path, err)
		}
	}
}

func (s *Store) inTx(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}
