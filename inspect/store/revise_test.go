package store

import (
	"context"
	"errors"
	"testing"

	"smtp-proxy/inspect"
)

// TestRevise gives a session other findings while the keeper runs, and finds
// its history where it was.
func TestRevise(t *testing.T) {
	s := openStore(t, newDir(t), Options{})
	q := make(queue)
	k := NewKeeper(s, quiet())
	done := make(chan error, 1)
	go func() { done <- k.Run(context.Background(), q) }()
	q <- refused("01A", start, "x@y", "550 5.1.1 no")
	q <- nil // taken when the session has been written
	followed := make(chan *inspect.Session, 1)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f := &follower{store: s, yielder: yielder{yield: func(v *inspect.Session) error {
		followed <- v
		return nil
	}}}
	if err := f.begin(ctx, start.AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}

	err := k.Revise(ctx, "01A", []inspect.Finding{{Cause: "reputation.ip-blocklisted"}, {Cause: "recipient.unknown"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.look(ctx); err != nil {
		t.Fatal(err)
	}
	if v := <-followed; v.ID != "01A" || v.Findings[0].Cause != "reputation.ip-blocklisted" {
		t.Errorf("followed %+v", v)
	}
	v, err := s.Session(ctx, "01A")
	if err != nil || len(v.Events) != 10 || len(v.Findings) != 2 {
		t.Errorf("session = %+v, %v; want its 10 events and 2 findings", v, err)
	}
	if got := ids(t, s, "cause:reputation.*", 0); len(got) != 1 {
		t.Errorf("cause:reputation.* selects %q", got)
	}
	if err := k.Revise(ctx, "02", nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("Revise(02) = %v, want ErrNotFound", err)
	}
	close(q)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
