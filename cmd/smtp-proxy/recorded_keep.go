package main

import (
	"context"
	"errors"
	"fmt"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// keep puts a session that has ended into the record, beside a proxy that may
// be recording there. A nil body leaves the octets of its messages out. With
// --data none there is no record, and nothing is kept.
func (p *program) keep(ctx context.Context, s *inspect.Session, body store.Body) error {
	g, err := p.guest()
	if err != nil || g == nil {
		return err
	}
	return errors.Join(g.Import(ctx, s, body), g.Close())
}

// guest opens the record for sessions from elsewhere; nil with --data none.
func (p *program) guest() (*store.Guest, error) {
	dir, err := p.dataDir()
	if err != nil || dir == "none" {
		return nil, err
	}
	g, err := store.OpenGuest(dir, store.Options{Now: p.now})
	if err != nil {
		return nil, fmt.Errorf("%w: name another directory with --data DIR", err)
	}
	for _, w := range g.Warnings() {
		fmt.Fprintln(p.stderr, "smtp-proxy: warning: "+visible(w))
	}
	return g, nil
}
