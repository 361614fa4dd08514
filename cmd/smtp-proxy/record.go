package main

import (
	"fmt"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// readRecord opens the record for a command that reads. One that is not there
// yet is empty.
func (p *program) readRecord() (*store.Store, error) {
	dir, err := p.dataDir()
	if err != nil {
		return nil, err
	}
	if dir == "none" {
		return nil, usagef("--data none keeps no record: name the directory that run uses with --data DIR")
	}
	s, err := store.Open(dir, store.Options{ReadOnly: true, Now: p.now})
	if err != nil {
		return nil, fmt.Errorf("%w: name the directory that run uses with --data DIR", err)
	}
	for _, w := range s.Warnings() {
		fmt.Fprintln(p.stderr, "smtp-proxy: warning: "+visible(w))
	}
	return s, nil
}

// filter reads the arguments of a command as one filter.
func (p *program) filter(args []string) (inspect.Filter, error) {
	f, err := inspect.ParseFilter(strings.Join(args, " "))
	if err != nil {
		return f, usage(err)
	}
	return f.At(p.now()), nil
}

// filterHelp belongs to each command that takes a filter.
const filterHelp = `A filter is a list of words that must all hold; * stands for anything, ! in front
turns a word round:

  cause:tls.* outcome:failed upstream:smtp.gmail.com from:*@example.com
  to:bob@example.net code:550 tls:passthrough since:2h text !route:test`
