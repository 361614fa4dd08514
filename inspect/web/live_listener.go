package web

import (
	"context"
	"slices"
	"sync"

	"smtp-proxy/inspect"
)

// listener is one who listens at a hub: a page, a reader of the API.
type listener struct {
	hub    *hub
	watch  *watch
	filter inspect.Filter
	text   string // of the filter
	after  int64  // the block up to which it knows all; negative: it wants nothing of before
	ready  chan struct{}

	mu   sync.Mutex
	held batch
	told int64 // the block up to which it has been told, whether or not something was selected
}

// leave ends listening; next must not be called any more.
func (l *listener) leave() { l.hub.leave(l) }

// next waits for changes. The first call returns at once what has changed since
// the block that the listener named. The error is that of the context.
func (l *listener) next(ctx context.Context) (batch, error) {
	select {
	case <-ctx.Done():
		return batch{}, ctx.Err()
	case <-l.watch.begun:
	}
	if b, err := l.catchUp(ctx); err != nil || !b.empty() {
		return b, err
	}
	for {
		select {
		case <-ctx.Done():
			return batch{}, ctx.Err()
		case <-l.ready:
		}
		if b := l.take(); !b.empty() {
			return b, nil
		}
	}
}

// catchUp reads what has changed while the listener was not there. What the hub
// tells in the meantime is told again, or left out by take.
func (l *listener) catchUp(ctx context.Context) (batch, error) {
	if l.after < 0 || l.hub.store == nil {
		return batch{}, nil
	}
	c, err := l.hub.store.Changes(ctx, l.after, judgeMost)
	if err != nil {
		return batch{}, err
	}
	l.after = -1
	b := selected(l.filter.At(l.hub.now()), shared(c))
	b.missed, b.last = b.missed+c.Skipped, c.Last
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held.drop(c.Last)
	return b, nil
}

// put adds what the listener has not taken yet to what it holds. The slices of
// b are shared with other listeners.
func (l *listener) put(b batch) {
	l.mu.Lock()
	l.told = b.last
	l.held = l.held.then(b)
	nothing := l.held.empty()
	l.mu.Unlock()
	if nothing {
		return
	}
	select {
	case l.ready <- struct{}{}:
	default: // it knows
	}
}

// upTo returns the block up to which nothing is left to tell, to resume from;
// 0 when that is not known.
func (l *listener) upTo() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.held.empty() {
		return 0
	}
	return l.told
}

func (l *listener) take() batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.held
	l.held = batch{}
	return b
}

func (b batch) empty() bool { return len(b.changes) == 0 && len(b.gone) == 0 && b.missed == 0 }

// then returns a batch with a later one behind it, without touching either.
func (b batch) then(later batch) batch {
	switch {
	case b.empty():
		return later
	case later.empty():
		return b
	}
	again := map[string]bool{}
	for _, c := range later.changes {
		again[c.Session.ID] = true
	}
	for _, id := range later.gone {
		again[id] = true
	}
	all := batch{missed: b.missed + later.missed, last: later.last}
	for _, c := range b.changes {
		if !again[c.Session.ID] {
			all.changes = append(all.changes, c)
		}
	}
	all.changes = append(all.changes, later.changes...)
	all.gone = slices.Concat(b.gone, later.gone)
	all.bound()
	return all
}

// drop leaves out what stands in a block or before it.
func (b *batch) drop(last int64) {
	b.changes = slices.DeleteFunc(slices.Clone(b.changes), func(c *change) bool { return c.Block <= last })
	b.gone = nil
	if b.last <= last {
		b.missed = 0
	}
}
