package web

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// heard waits for one batch.
func heard(t *testing.T, l *listener) batch {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	b, err := l.next(ctx)
	if err != nil {
		t.Fatalf("waited for changes that %q selects: %v", l.text, err)
	}
	return b
}

func idsOf(b batch) (ids []string) {
	for _, c := range b.changes {
		ids = append(ids, c.Session.ID)
	}
	return ids
}

// TestHubTells has a session that is recorded come to those whose filter
// selects it, as one and the same change.
func TestHubTells(t *testing.T) {
	r := newRecord(t)
	h := newSite(t, Options{Store: r.Store}).hub
	r.add(t, inspect.Delivered, nil) // of before
	all, failed, same := h.join(parsed(t, ""), -1), h.join(parsed(t, "outcome:failed"), -1), h.join(parsed(t, ""), -1)
	defer all.leave()
	defer failed.leave()
	defer same.leave()
	<-all.watch.begun
	good := r.add(t, inspect.Delivered, nil)
	b := heard(t, all)
	if ids := idsOf(b); len(ids) != 1 || ids[0] != good.ID || b.last == 0 || b.missed != 0 {
		t.Errorf("got %v up to block %d, %d missed; want %s alone", ids, b.last, b.missed, good.ID)
	}
	if other := heard(t, same); other.changes[0] != b.changes[0] {
		t.Error("two listeners got changes of their own, want one that they share")
	}
	bad := r.add(t, inspect.Failed, nil)
	if ids := idsOf(heard(t, failed)); len(ids) != 1 || ids[0] != bad.ID {
		t.Errorf("outcome:failed heard of %v, want of %s alone", ids, bad.ID)
	}
}

// TestHubResumes has a listener name the last block that it knows.
func TestHubResumes(t *testing.T) {
	r := newRecord(t)
	h := newSite(t, Options{Store: r.Store}).hub
	r.add(t, inspect.Delivered, nil)
	before, err := r.Changes(t.Context(), -1, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := r.add(t, inspect.Delivered, nil)
	l := h.join(parsed(t, ""), before.Last)
	defer l.leave()
	b := heard(t, l)
	if ids := idsOf(b); len(ids) != 1 || ids[0] != want.ID || b.last != before.Last+1 {
		t.Errorf("after block %d: got %v up to %d, want %s", before.Last, ids, b.last, want.ID)
	}
	next := r.add(t, inspect.Delivered, nil)
	if ids := idsOf(heard(t, l)); len(ids) != 1 || ids[0] != next.ID {
		t.Errorf("then got %v, want %s", ids, next.ID)
	}
}

// TestHubStops has nothing run while nobody listens, and work again after.
func TestHubStops(t *testing.T) {
	r := newRecord(t)
	h := newSite(t, Options{Store: r.Store}).hub
	for range 3 {
		first, second := h.join(parsed(t, ""), -1), h.join(parsed(t, ""), -1)
		w := first.watch
		first.leave()
		select {
		case <-w.done:
			t.Fatal("nobody looks any more, and one still listens")
		default:
		}
		second.leave()
		<-w.done
		if h.watch != nil || len(h.listeners) != 0 {
			t.Errorf("got watch %v and %d listeners when all had left, want none", h.watch, len(h.listeners))
		}
	}
	l := h.join(parsed(t, ""), -1)
	defer l.leave()
	<-l.watch.begun
	r.add(t, inspect.Delivered, nil)
	heard(t, l)
}

// TestSlowListener has more come than a batch holds before it is taken: the
// latest are there, each session once, and the others are counted.
func TestSlowListener(t *testing.T) {
	h := newSite(t, Options{}).hub
	l := h.join(parsed(t, ""), -1)
	defer l.leave()
	const rounds, each = 40, 30
	for i := range rounds {
		c := store.Changes{Last: int64(i + 1), Skipped: 2}
		for j := range each {
			c.List = append(c.List, store.Change{Block: c.Last, Session: &inspect.Session{ID: fmt.Sprintf("%02d%02d", i, j)}})
		}
		h.tell([]*listener{l}, c)
	}
	b := heard(t, l)
	if got, want := len(b.changes)+b.missed, rounds*(each+2); len(b.changes) != batchMost || got != want || b.last != rounds {
		t.Errorf("got %d changes and %d missed up to %d, want %d changes and %d in all", len(b.changes), b.missed, b.last, batchMost, want)
	}
	if first, last := b.changes[0].Session.ID, b.changes[batchMost-1].Session.ID; first != "3810" || last != "3929" {
		t.Errorf("got changes from %s to %s, want the latest, 3810 to 3929", first, last)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("next behind the last batch: got %v, want it to wait", err)
	}
}

// TestListenerSees one session change again before it looks.
func TestListenerSeesLatest(t *testing.T) {
	h := newSite(t, Options{}).hub
	all, open := h.join(parsed(t, ""), -1), h.join(parsed(t, "outcome:open"), -1)
	defer all.leave()
	defer open.leave()
	for i, o := range []inspect.Outcome{inspect.Open, inspect.Delivered} {
		h.tell([]*listener{all, open}, store.Changes{Last: int64(i + 1), List: []store.Change{{Block: int64(i + 1), Session: &inspect.Session{ID: "01A", Outcome: o}}}})
	}
	if b := heard(t, all); len(b.changes) != 1 || b.changes[0].Session.Outcome != inspect.Delivered {
		t.Errorf("got %v, want the session once, delivered", idsOf(b))
	}
	if b := heard(t, open); len(b.changes) != 0 || len(b.gone) != 1 || b.gone[0] != "01A" {
		t.Errorf("outcome:open got %v, gone %v; want 01A gone", idsOf(b), b.gone)
	}
}
