package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
)

// Body returns the content of a session's message (0 is the first), as the
// app sent it, dot-stuffing included. It needs memory for one block, however
// long the message is. The error is [ErrNoBody] when none was kept or
// retention has removed it.
func (s *Store) Body(ctx context.Context, id string, message int) (io.ReadCloser, error) {
	at, err := s.find(ctx, id)
	if err != nil {
		return nil, err
	}
	r, err := s.read()
	if err != nil {
		return nil, err
	}
	blocks, err := blocksOf(ctx, r.db, at.key)
	if err != nil {
		return nil, explainOpen(s.path, err)
	}
	b := &body{ctx: ctx, db: r.db, packer: s.packer, key: at.key, message: message, blocks: blocks}
	if b.tail, err = tailOf(ctx, r.db, s.path, at.key, message); err != nil {
		return nil, explainOpen(s.path, err)
	}
	err = b.fill()
	switch {
	case errors.Is(err, io.EOF) && (b.tail.left == 0 || b.tail.head > 0):
		return nil, fmt.Errorf("%w of message %d of session %s", ErrNoBody, message, id)
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	}
	return b, nil
}

// body reads a message block by block, then what stands in a file. It lives no longer than the context of
// the call that made it.
type body struct {
	ctx     context.Context
	db      *sql.DB
	packer  *packer
	key     int64
	message int
	blocks  []int64  // still to read
	pieces  [][]byte // of the block under way
	head    int64    // octets that have been read from blocks
	tail    bodyTail
}

func (b *body) Read(to []byte) (int, error) {
	switch err := b.fill(); {
	case errors.Is(err, io.EOF) && b.head < b.tail.head:
		return 0, fmt.Errorf("%w: retention is about to remove it", ErrNoBody)
	case errors.Is(err, io.EOF):
		return b.tail.read(to)
	case err != nil:
		return 0, err
	}
	n := copy(to, b.pieces[0])
	if b.pieces[0] = b.pieces[0][n:]; len(b.pieces[0]) == 0 {
		b.pieces = b.pieces[1:]
	}
	return n, nil
}

// fill reads blocks until there is something to hand out.
func (b *body) fill() error {
	for len(b.pieces) == 0 {
		if len(b.blocks) == 0 {
			return io.EOF
		}
		section, err := readSection(b.ctx, b.db, b.packer, "bodies", b.blocks[0])
		if err != nil {
			return err
		}
		b.blocks = b.blocks[1:]
		err = eachPiece(section, true, func(p piece) error {
			if p.key == b.key && p.message == b.message && len(p.data) > 0 {
				b.pieces = append(b.pieces, p.data)
				b.head += int64(len(p.data))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Close lets go of what was read.
func (b *body) Close() error {
	b.blocks, b.pieces = nil, nil
	return b.tail.close()
}
