package main

import (
	"fmt"
	"strings"

	"smtp-proxy/inspect/store"
)

// guest opens the record for sessions from elsewhere; nil with --data none.
func (p *program) guest() (*store.Guest, error) {
	dir, err := p.dataDir()
	if err != nil || dir == "none" {
		return nil, err
	}
	g, err := store.OpenGuest(dir, store.Options{Now: p.now})
	if err != nil {
		return nil, elsewhere(err)
	}
	for _, w := range g.Warnings() {
		fmt.Fprintln(p.stderr, "smtp-proxy: warning: "+visible(w))
	}
	return g, nil
}

// elsewhere says what to do about a record that cannot be used, unless its
// error does.
func elsewhere(err error) error {
	if strings.Contains(err.Error(), "--data") {
		return err
	}
	return fmt.Errorf("%w: name another directory with --data DIR", err)
}
