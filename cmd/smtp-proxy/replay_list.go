package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/oklog/ulid/v2"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// selection is which sessions are played: their ids, settled before the first
// of them goes out, so that what is recorded meanwhile is not among them. It
// lies in a file, newest first as the record lists them, and is read from its
// end: it takes no memory, however long it is.
type selection struct {
	file     *os.File
	all      int // ids in the file
	left     int // ids that come before the next to be read
	least    int // and how many of them are not to be read
	repeated int // sessions left out as they repeat others
}

const idSize = len(ulid.ULID{})

// errEnough ends a listing that has come to its end.
var errEnough = errors.New("enough")

// choose lists the sessions that a filter selects, those behind after alone
// where that is not nil.
func choose(ctx context.Context, s *store.Store, f inspect.Filter, after *inspect.Session) (*selection, error) {
	file, err := os.CreateTemp("", "smtp-proxy-replay-")
	if err != nil {
		return nil, fmt.Errorf("a list of the sessions: %w", err)
	}
	c := &selection{file: file}
	if err := c.list(ctx, s, f, after); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func (c *selection) list(ctx context.Context, s *store.Store, f inspect.Filter, after *inspect.Session) error {
	var page bytes.Buffer
	err := s.Sessions(ctx, f, 0, func(v *inspect.Session) error {
		switch {
		case after != nil && (v.ID == after.ID || v.Started.Before(after.Started)):
			return errEnough
		case v.Linked != "":
			c.repeated++
			return nil
		}
		return c.add(&page, v.ID)
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	c.left = c.all
	_, err = page.WriteTo(c.file)
	return err
}

// add notes one id; what is no ULID cannot have come from a proxy.
func (c *selection) add(page *bytes.Buffer, text string) error {
	id, err := ulid.ParseStrict(text)
	if err != nil {
		return fmt.Errorf("session %q: %w", text, err)
	}
	page.Write(id[:])
	c.all++
	if page.Len() < 4096 {
		return nil
	}
	_, err = page.WriteTo(c.file)
	return err
}

// next returns the oldest that is left; io.EOF says that there is none.
func (c *selection) next() (string, error) {
	if c.left == c.least {
		return "", io.EOF
	}
	c.left--
	var id ulid.ULID
	if _, err := c.file.ReadAt(id[:], int64(c.left)*int64(idSize)); err != nil {
		return "", fmt.Errorf("the list of the sessions: %w", err)
	}
	return id.String(), nil
}

// bound leaves only the n oldest.
func (c *selection) bound(n int) { c.least = max(0, c.left-n) }

// remaining is how many next has yet to return.
func (c *selection) remaining() int { return c.left - c.least }

func (c *selection) close() error { return errors.Join(c.file.Close(), os.Remove(c.file.Name())) }
