package capture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"smtp-proxy/inspect"
)

// Capture is a session as it was read.
type Capture struct {
	Session  *inspect.Session
	By       string    // the program that wrote it; empty for an object that is no more than a session
	Line     int       // of the session's object
	Contents []Content // the messages that came with it; nil until all of it was read

	file   io.ReaderAt
	places map[int]int64 // of the first octets of each message in the file
}

// File reads captures and can go back to their messages, however large these
// are.
type File struct {
	in *Reader
	at io.ReaderAt
}

// NewFile returns a reader of a file. It is read through in once, from its
// beginning; at must hold then what has been read.
func NewFile(in io.Reader, at io.ReaderAt, now time.Time) *File {
	return &File{NewReader(in, now), at}
}

// Next returns the next session of which all is there. io.EOF says that there
// are no more.
func (f *File) Next() (*Capture, error) {
	c, err := f.in.Next()
	if err != nil {
		return nil, err
	}
	c.file, c.places = f.at, map[int]int64{}
	for {
		p, err := f.in.Piece()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if p.Offset == 0 && len(p.Data) > 0 {
			c.places[p.Message] = p.place
		}
	}
	c.Contents = f.in.Contents()
	return c, nil
}

// Body opens the octets of a message, as they were sent; 0 is the first. The
// error is [ErrNoBody] when the file has none of them.
func (c *Capture) Body(_ context.Context, message int) (io.ReadCloser, error) {
	place, ok := c.places[message]
	if !ok {
		return nil, ErrNoBody
	}
	b := &body{of: c, message: message, sum: sha256.New()}
	for _, one := range c.Contents {
		if one.Message == message {
			b.want = one
		}
	}
	b.lines = newLines(io.NewSectionReader(c.file, place, 1<<62-place))
	return b, nil
}

// body reads a message of a file line by line.
type body struct {
	of      *Capture
	message int
	want    Content
	lines   *lines
	sum     hash.Hash
	read    int64  // octets so far
	rest    []byte // of the latest line
	memory  []byte
}

var errChanged = errors.New("the file has changed since it was opened")

func (b *body) Read(to []byte) (int, error) {
	for len(b.rest) == 0 {
		if b.read == b.want.Octets {
			return 0, b.whole()
		}
		if err := b.more(); err != nil {
			return 0, fmt.Errorf("message %d of session %s: %w", b.message+1, b.of.Session.ID, err)
		}
	}
	n := copy(to, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *body) more() error {
	line, err := b.lines.read()
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	got, ok := quick(line, b.memory[:0])
	if !ok {
		one, err := bounded(line)
		if err != nil || one.Body == nil {
			return errChanged
		}
		got = *one.Body
	}
	if got.Message != b.message || got.Offset != b.read || int64(len(got.Data)) > b.want.Octets-b.read {
		return errChanged
	}
	b.memory, b.rest = got.Data, got.Data
	b.sum.Write(b.rest)
	b.read += int64(len(b.rest))
	return nil
}

func (b *body) whole() error {
	if want, err := hex.DecodeString(b.want.SHA256); err != nil || !bytes.Equal(b.sum.Sum(nil), want) {
		return errChanged
	}
	return io.EOF
}

// Close lets go of what was read. The file stays open.
func (b *body) Close() error {
	b.rest = nil
	return nil
}
