package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"smtp-proxy/inspect"
)

// The errors of importing a session.
var (
	ErrExists = errors.New("the session is in the record already")
	ErrOpen   = errors.New("the session had not ended")
)

// maxSummary bounds a session without its events and messages, in octets: one
// that did not fit into a section could not be read again, nor could those
// beside it.
const maxSummary = 16 << 20

// Body opens the octets of a message as they were sent; 0 is the first. The
// error is [ErrNoBody] when there are none.
type Body func(ctx context.Context, message int) (io.ReadCloser, error)

// Guest writes sessions that have ended elsewhere into a record. It needs no
// lock, and works beside the process that records there: each session is one
// transaction, for which everything has been made ready before.
type Guest struct {
	store *Store
	batch *batch
	stage stage
}

// OpenGuest opens the record in a directory for a guest. One that is not there
// is made as [Open] makes it.
func OpenGuest(dir string, opt Options) (*Guest, error) {
	s := &Store{path: filepath.Join(dir, file), now: opt.Now}
	if s.now == nil {
		s.now = time.Now
	}
	g := &Guest{store: s}
	if err := g.open(dir); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

func (g *Guest) open(dir string) (err error) {
	if g.store.packer, err = newPacker(); err != nil {
		return err
	}
	if err := g.store.prepareDir(dir); err != nil {
		return err
	}
	if err := g.store.openDatabase(); err != nil {
		return err
	}
	g.batch, err = newBatch(g.store)
	return err
}

// Warnings are what the owner should be told about the directory.
func (g *Guest) Warnings() []string { return g.store.warnings }

// Close ends all use of the record.
func (g *Guest) Close() error {
	if g.batch != nil {
		g.batch.close()
		g.batch = nil
	}
	return errors.Join(g.stage.close(), g.store.Close())
}

// Import adds a session with its events, its findings and the octets of its
// messages. A nil body leaves these out. Of a session that is refused nothing
// is kept: the error is [ErrExists] for one whose id is in the record, and
// [ErrOpen] for one that has not ended.
func (g *Guest) Import(ctx context.Context, v *inspect.Session, body Body) error {
	err := g.bring(ctx, v, body)
	if err != nil {
		return fmt.Errorf("import session %s: %w", v.ID, explainOpen(g.store.path, err))
	}
	return nil
}

func (g *Guest) bring(ctx context.Context, v *inspect.Session, body Body) error {
	if v.Ended.IsZero() || v.Outcome == inspect.Open {
		return ErrOpen
	}
	if err := g.examine(ctx, v); err != nil {
		return err
	}
	s := &kept{id: v.ID, upstream: v.Upstream.Name, settled: v, ended: true, reported: true}
	for i := range v.Events {
		s.entries = append(s.entries, &v.Events[i])
	}
	load := &staging{in: &g.stage, bodies: bodiesBeside(g.store.path), to: s}
	defer load.discard()
	if body != nil {
		if err := load.messages(ctx, len(v.Messages)+v.Omitted, body); err != nil {
			return err
		}
	}
	return g.write(ctx, s, load)
}

// examine refuses before any work what is there already, and what could not be
// read again.
func (g *Guest) examine(ctx context.Context, v *inspect.Session) error {
	summary, err := g.batch.codec.handshakes.appendSummary(nil, v)
	if err != nil {
		return err
	}
	if len(summary) > maxSummary {
		return fmt.Errorf("its summary takes %d octets, of which the record holds %d at most", len(summary), maxSummary)
	}
	return exists(g.store.writer.QueryRowContext(ctx, existsQuery, v.ID))
}

const existsQuery = `SELECT count(*) FROM sessions WHERE id = ?`

func exists(row *sql.Row) error {
	n := 0
	err := row.Scan(&n)
	if err == nil && n > 0 {
		err = ErrExists
	}
	return err
}

func (g *Guest) write(ctx context.Context, s *kept, load *staging) (err error) {
	w := g.batch
	if w.tx, err = g.store.writer.BeginTx(ctx, nil); err != nil {
		return err
	}
	defer w.reset()
	if err := exists(w.tx.QueryRowContext(ctx, existsQuery, s.id)); err != nil {
		return err
	}
	if err := s.settle(ctx, w.tx); err != nil {
		return err
	}
	if err := w.put([]*kept{s}, g.store.now()); err != nil {
		return err
	}
	for _, f := range load.staged {
		if err := f.publish(load.bodies.path(s.key, f.message)); err != nil {
			return err
		}
		if _, err := w.tx.Stmt(w.stmts.body).ExecContext(ctx, s.key, f.message, 0, f.size, s.home); err != nil {
			return err
		}
	}
	if err := w.commit(); err != nil {
		return err
	}
	load.staged = nil
	w.words.forget() // the keeper may delete those of a session that is old
	return nil
}

// settle gives a session a key that no other has: of its start, or of the
// nearest moment after that.
func (s *kept) settle(ctx context.Context, tx *sql.Tx) error {
	const first = keysPerMicro - keysOfGuests
	for least := keyAt(s.settled.Started); ; least += keysPerMicro {
		var last sql.NullInt64
		err := tx.QueryRowContext(ctx, `SELECT max(key) FROM sessions WHERE key BETWEEN ? AND ?`, least+first, least+keysPerMicro-1).Scan(&last)
		switch {
		case err != nil:
			return err
		case last.Int64 == least+keysPerMicro-1:
			continue
		}
		s.key = max(least+first, last.Int64+1)
		for i := range s.bodies {
			s.bodies[i].key = s.key
		}
		return nil
	}
}
