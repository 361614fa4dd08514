package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"smtp-proxy/upstream/replay"
)

// trial is what is known of credentials that many sessions sign in with. They
// go to one smarthost, one session at a time until they have been accepted, and
// to no other session behind a refusal: accounts get locked.
type trial struct {
	turn sync.Mutex // held by the session that tries them

	mu      sync.Mutex
	target  string // where they go
	proven  bool
	refused string // the reply
}

// try plays a session, and signs in if it may.
func (q *sequence) try(ctx context.Context, p *prepared) (*played, error) {
	if q.options.Auth == nil || p.session.Auth == nil {
		return q.play(ctx, p)
	}
	t := &q.trial
	alone, err := t.admit(p.place.target.Name)
	if alone && err == nil {
		t.turn.Lock()
		defer t.turn.Unlock()
		_, err = t.admit(p.place.target.Name)
	}
	if err != nil {
		return nil, err
	}
	seen, err := q.play(ctx, p)
	if seen != nil {
		t.learn(seen.result.Steps)
	}
	return seen, err
}

// admit says why a session is not played, and whether it is to be played alone.
func (t *trial) admit(target string) (alone bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.target == "" {
		t.target = target
	}
	switch {
	case t.target != target:
		return false, fmt.Errorf("it signed in at %s, and these credentials are for %s: add upstream:NAME to the filter", target, t.target)
	case t.refused != "":
		return false, fmt.Errorf("these credentials were refused, and are not tried again: %s", t.refused)
	}
	return !t.proven, nil
}

// learn takes what was replied to them. What is put off (4yz) says nothing.
func (t *trial) learn(steps []replay.Step) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range steps {
		switch {
		case !strings.HasPrefix(s.Command, "AUTH "):
		case strings.HasPrefix(s.Now, "2"):
			t.proven = true
		case strings.HasPrefix(s.Now, "5"):
			t.refused = oneLine(s.Now)
		}
	}
}
