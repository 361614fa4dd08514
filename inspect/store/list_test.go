package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// TestYieldEnds has the caller stop a list and a follower; its error comes
// back as it is.
func TestYieldEnds(t *testing.T) {
	s := openStore(t, newDir(t), Options{})
	feed(t, s, quiet(), delivered("01A", start, "a@b", "c@d", "x"), delivered("01B", start.Add(1), "a@b", "c@d", "x"))
	enough := errors.New("enough")
	n := 0
	stop := func(*inspect.Session) error {
		n++
		return enough
	}
	if err := s.Sessions(context.Background(), inspect.Filter{}, 0, stop); err != enough {
		t.Errorf("Sessions = %v, want the caller's error", err)
	}
	if err := s.Follow(context.Background(), start.Add(-time.Hour), inspect.Filter{}, stop); err != enough {
		t.Errorf("Follow = %v, want the caller's error", err)
	}
	if n != 2 {
		t.Errorf("yielded %d times, want once each", n)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Sessions(ctx, inspect.Filter{}, 0, stop); !errors.Is(err, context.Canceled) {
		t.Errorf("Sessions with a context that has ended = %v", err)
	}
}

// TestPages lists more sessions than one page has, while others are deleted
// under way.
func TestPages(t *testing.T) {
	s := openStore(t, newDir(t), Options{Now: func() time.Time { return start.Add(time.Hour) }})
	const n = firstWindow + 20
	var batch []session.Record
	for i := range n {
		batch = append(batch, delivered(fmt.Sprintf("01%04d", i), start.Add(time.Duration(i)*time.Second), "a@b", "c@d", "x")...)
	}
	feed(t, s, quiet(), batch)
	got := 0
	err := s.Sessions(context.Background(), inspect.Filter{}, 0, func(*inspect.Session) error {
		if got++; got == 10 {
			return s.Retain(context.Background(), time.Hour-10*time.Second, 0)
		}
		return nil
	})
	if err != nil || got != n-10 {
		t.Errorf("listed %d sessions, %v; want the %d that were left", got, err, n-10)
	}
}
