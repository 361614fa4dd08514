package main

import (
	"context"
	"errors"
	"io"

	"smtp-proxy/inspect/anonymize"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/inspect/store"
)

// anonymized is a session and its messages with stand-ins for what is
// personal. The headers of the messages are read first, for the names in them.
func anonymized(ctx context.Context, r *recorded) (*recorded, error) {
	set, err := rules.Load()
	if err != nil {
		return nil, err
	}
	a := anonymize.New()
	for _, p := range set.Providers() {
		a.Keep(p.Hosts...)
	}
	if err := learn(ctx, a, r); err != nil {
		return nil, err
	}
	return &recorded{
		session: a.Session(r.session),
		body: func(ctx context.Context, n int) (io.ReadCloser, error) {
			b, err := r.body(ctx, n)
			if err != nil {
				return nil, err
			}
			return readCloser{a.Body(b), b}, nil
		},
		close: r.close,
	}, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// learn reads the headers of all messages that were kept.
func learn(ctx context.Context, a *anonymize.Anonymizer, r *recorded) error {
	for n := range len(r.session.Messages) + r.session.Omitted {
		b, err := r.body(ctx, n)
		if errors.Is(err, store.ErrNoBody) {
			continue
		}
		if err != nil {
			return err
		}
		if err := errors.Join(a.Learn(b), b.Close()); err != nil {
			return err
		}
	}
	return nil
}
