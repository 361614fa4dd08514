package main

import (
	"context"
	"errors"
	"io"

	"smtp-proxy/inspect"
)

// recorded is one session with what is kept of its messages.
type recorded struct {
	session *inspect.Session

	// body opens the octets of a message as they were sent; 0 is the first. The
	// error is store.ErrNoBody when none are kept.
	body  func(ctx context.Context, message int) (io.ReadCloser, error)
	close func() error // gives back what the session was read from
}

// find opens the session that an argument of a command names: one of the
// record, or of a file.
func (p *program) find(ctx context.Context, id string) (*recorded, error) {
	if name, ok := captureNamed(id); ok {
		return p.findInFile(ctx, name)
	}
	s, err := p.readRecord()
	if err != nil {
		return nil, err
	}
	found, err := s.Session(ctx, id)
	if err != nil {
		return nil, errors.Join(lookupError(id, err), s.Close())
	}
	return &recorded{
		session: found,
		body:    func(ctx context.Context, n int) (io.ReadCloser, error) { return s.Body(ctx, found.ID, n) },
		close:   s.Close,
	}, nil
}
