package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
)

// bodyTail is what stands in a file of a message; nothing when all of it
// stands in blocks.
type bodyTail struct {
	head int64 // octets in front of it, in blocks
	left int64 // octets of it that have not been read
	path string
	file *os.File // nil until it is read
}

// tailOf looks a message's file up. A record that an older version wrote has
// no table of them.
func tailOf(ctx context.Context, db *sql.DB, database string, key int64, message int) (t bodyTail, err error) {
	var tables int
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'bodies'`).Scan(&tables); err != nil || tables == 0 {
		return t, err
	}
	err = db.QueryRowContext(ctx, `SELECT head, size FROM bodies WHERE session = ? AND message = ?`, key, message).Scan(&t.head, &t.left)
	if errors.Is(err, sql.ErrNoRows) {
		return t, nil
	}
	t.path = bodiesBeside(database).path(key, message)
	return t, err
}

// read reads on. That the file is shorter than its row says is an error: a
// power cut may have cost its end.
func (t *bodyTail) read(to []byte) (n int, err error) {
	if t.left == 0 {
		return 0, io.EOF
	}
	if t.file == nil {
		if t.file, err = os.Open(t.path); err != nil {
			return 0, fmt.Errorf("the rest of the message: %w", err)
		}
	}
	n, err = t.file.Read(to[:min(int64(len(to)), t.left)])
	t.left -= int64(n)
	if err == io.EOF && t.left > 0 {
		err = fmt.Errorf("%s: %w: %d octets are missing at its end", t.path, errCoding, t.left)
	}
	return n, err
}

func (t *bodyTail) close() error {
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}
