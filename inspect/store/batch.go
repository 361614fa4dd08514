package store

import (
	"database/sql"
	"errors"
	"time"

	"smtp-proxy/inspect"
)

// batch writes what several sessions did meanwhile in one transaction.
type batch struct {
	store   *Store
	packer  *packer
	codec   *entryCodec
	stmts   statements
	tx      *sql.Tx
	block   blockBuffer
	spill   spill
	next    int64              // the number of the block that is being filled; 0 while it is not known
	views   []*inspect.Session // of the sessions whose rows are written, in order
	rows    []*kept
	fresh   map[alike]*freshRows // what is to be inserted
	lately  *freshRows           // where the latest went: the next goes there, too, mostly
	words   *sessionWords
	counts  counter
	scratch []byte
	packed  [3][]byte // memory of a block's sections as they are stored
}

// statements are prepared once.
type statements struct {
	block, update, span, finding, unfind, body, number *sql.Stmt
	insert, words                                      [insertSizes]*sql.Stmt
}

// blockBuffer is the block that is being filled.
type blockBuffer struct {
	summaries, entries, bodies []byte
	newest                     int64
	members                    []*kept // have something in it
	homes                      []*kept // have their summary in it
}

func newBatch(s *Store) (*batch, error) {
	w := &batch{store: s, packer: s.packer, codec: newEntryCodec(), fresh: map[alike]*freshRows{}, words: newSessionWords(), counts: newCounter(), spill: spill{files: bodiesBeside(s.path)}}
	queries := map[string]**sql.Stmt{
		`INSERT INTO blocks (newest, summaries, entries, bodies) VALUES (?, ?, ?, ?)`:                                                      &w.stmts.block,
		`UPDATE sessions SET ended = ?, outcome = ?, failed = ?, provider = ?, username = ?, codes = ?, mail = ?, block = ? WHERE key = ?`: &w.stmts.update,
		`INSERT OR IGNORE INTO spans (session, block) VALUES (?, ?)`:                                                                       &w.stmts.span,
		`INSERT INTO findings (session, rank, cause, certainty) VALUES (?, ?, ?, ?)`:                                                       &w.stmts.finding,
		`INSERT INTO bodies (session, message, head, size, block) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET head = excluded.head, size = excluded.size`: &w.stmts.body,
		`DELETE FROM findings WHERE session = ?`:                                      &w.stmts.unfind,
		`SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'blocks'`: &w.stmts.number,
	}
	queries[tallyQuery] = &w.counts.stmt
	for i, n := range rowsAtOnce() {
		queries[insertQuery(n)] = &w.stmts.insert[i]
		queries[insertWordsQuery(n)] = &w.stmts.words[i]
	}
	for query, into := range queries {
		var err error
		if *into, err = s.writer.Prepare(query); err != nil {
			w.close()
			return nil, explainOpen(s.path, err)
		}
	}
	return w, nil
}

func (w *batch) close() {
	w.counts.close(w.store)
	for _, stmt := range append(append(w.stmts.insert[:], w.stmts.words[:]...), w.stmts.block, w.stmts.update, w.stmts.span, w.stmts.finding, w.stmts.unfind, w.stmts.body, w.stmts.number) {
		if stmt != nil {
			stmt.Close()
		}
	}
}

// all writes what is new of some sessions, or nothing of them.
func (w *batch) all(list []*kept, now time.Time) (err error) {
	if w.tx, err = w.store.writer.Begin(); err != nil {
		return err
	}
	defer w.reset()
	if err := w.put(list, now); err != nil {
		return err
	}
	if err := w.commit(); err != nil {
		return err
	}
	for _, s := range w.rows {
		s.row, s.summarised = true, now
	}
	for _, s := range list {
		s.written = s.reached
	}
	return nil
}

// put writes within the transaction.
func (w *batch) put(list []*kept, now time.Time) error {
	for _, s := range list {
		if err := w.add(s, now); err != nil {
			return err
		}
	}
	if err := errors.Join(w.seal(), w.spill.close()); err != nil {
		return err
	}
	if err := w.writeRows(list); err != nil {
		return err
	}
	return w.counts.write(w.tx, now)
}

// number returns the number of the block that is being filled. It is asked for
// in each transaction: between two of them another process may have written
// blocks ([Guest]).
func (w *batch) number() (n int64, err error) {
	if w.next == 0 {
		err = w.tx.Stmt(w.stmts.number).QueryRow().Scan(&w.next)
	}
	return w.next, err
}

func (w *batch) commit() error {
	err := w.tx.Commit()
	if err != nil {
		w.words.forget()
	}
	return err
}

// reset rolls back what was not committed and empties the buffers.
func (w *batch) reset() {
	if !errors.Is(w.tx.Rollback(), sql.ErrTxDone) {
		w.words.forget()
	}
	w.tx, w.next = nil, 0
	w.block.reset()
	w.spill.reset()
	w.counts.reset()
	clear(w.views)
	clear(w.rows)
	clear(w.fresh)
	w.lately = nil
	w.views, w.rows = w.views[:0], w.rows[:0]
}

func (b *blockBuffer) reset() {
	clear(b.members)
	clear(b.homes)
	*b = blockBuffer{b.summaries[:0], b.entries[:0], b.bodies[:0], 0, b.members[:0], b.homes[:0]}
}

// add puts what is new of a session into blocks.
func (w *batch) add(s *kept, now time.Time) error {
	if err := w.addBodies(s); err != nil {
		return err
	}
	if err := w.addEntries(s); err != nil {
		return err
	}
	w.counts.waits.add(s)
	if !s.due(now) {
		return nil
	}
	return w.addSummary(s)
}

// addBodies puts the octets of messages into blocks, and those of a large
// message from spillAt on into its file.
func (w *batch) addBodies(s *kept) error {
	at := s.written
	for _, p := range s.bodies {
		if at.message != p.message {
			at = reach{message: p.message}
		}
		if at.size > 0 || at.head+int64(len(p.data)) > spillAt {
			if err := w.spill.write(p, &at); err != nil {
				return err
			}
			continue
		}
		if err := w.room(&w.block.bodies, len(p.data)); err != nil {
			return err
		}
		w.member(s)
		w.block.bodies = appendPiece(w.block.bodies, p, true)
		n, err := w.number()
		if err != nil {
			return err
		}
		at.head, at.block = at.head+int64(len(p.data)), n
	}
	s.reached = at
	return nil
}

// addEntries writes the new entries as pieces that fit into blocks.
func (w *batch) addEntries(s *kept) (err error) {
	for rest := s.entries; len(rest) > 0; {
		b, last, n := w.scratch[:0], int64(0), 0
		for ; n < len(rest) && len(b) < sectionSize/2; n++ {
			if b, err = w.codec.append(b, rest[n], last); err != nil {
				return err
			}
			last = rest[n].At.UnixNano()
		}
		w.scratch, rest = b, rest[n:]
		if err := w.room(&w.block.entries, len(b)); err != nil {
			return err
		}
		w.member(s)
		w.block.entries = appendPiece(w.block.entries, piece{key: s.key, data: b}, false)
	}
	return nil
}

func (w *batch) addSummary(s *kept) (err error) {
	v := s.summary()
	if w.scratch, err = w.codec.handshakes.appendSummary(w.scratch[:0], v); err != nil {
		return err
	}
	if err := w.room(&w.block.summaries, len(w.scratch)); err != nil {
		return err
	}
	w.member(s)
	s.summarySize = len(w.scratch)
	w.block.summaries = appendPiece(w.block.summaries, piece{key: s.key, data: w.scratch}, false)
	w.block.homes = append(w.block.homes, s)
	w.rows, w.views = append(w.rows, s), append(w.views, v)
	return nil
}

// room makes sure that a piece fits into a section of the block.
func (w *batch) room(section *[]byte, size int) error {
	if len(*section) > 0 && len(*section)+size > sectionSize {
		return w.seal()
	}
	return nil
}

// member notes that a session has something in the block.
func (w *batch) member(s *kept) {
	if n := len(w.block.members); n > 0 && w.block.members[n-1] == s {
		return
	}
	w.block.members = append(w.block.members, s)
	w.block.newest = max(w.block.newest, s.key)
}

// seal writes the block and begins the next.
func (w *batch) seal() error {
	b := &w.block
	if len(b.members) == 0 {
		return nil
	}
	result, err := w.tx.Stmt(w.stmts.block).Exec(b.newest, notNil(w.pack(0, b.summaries)), notNil(w.pack(1, b.entries)), w.pack(2, b.bodies))
	if err != nil {
		return err
	}
	n, err := result.LastInsertId()
	if err != nil {
		return err
	}
	w.next = n + 1
	for _, s := range b.members {
		s.touched = append(s.touched, n)
	}
	for _, s := range b.homes {
		s.home = n
	}
	b.reset()
	return nil
}

// pack returns a section as it is stored, valid until the next block.
func (w *batch) pack(section int, plain []byte) []byte {
	out := w.packer.pack(w.packed[section], plain)
	if out != nil {
		w.packed[section] = out
	}
	return out
}

// notNil keeps an empty section from being stored as NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
