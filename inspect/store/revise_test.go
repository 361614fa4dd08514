package store

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
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

	answers := []session.Entry{{Seq: 11, At: start.Add(time.Minute), Leg: session.Upstream, From: session.FromProxy, Kind: session.KindProbe,
		Text: "would connect", Probe: &session.Probe{Name: inspect.ProbeDirect, Target: "x:25", Result: "ok"}}}
	err := k.Revise(ctx, "01A", answers, []inspect.Finding{{Cause: "reputation.ip-blocklisted"}, {Cause: "recipient.unknown"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.look(ctx); err != nil {
		t.Fatal(err)
	}
	if v := <-followed; v.ID != "01A" || v.Findings[0].Cause != "reputation.ip-blocklisted" {
		t.Errorf("followed %+v", v)
	}
	checkRevised(t, s, 2)
	if got := ids(t, s, "cause:reputation.*", 0); len(got) != 1 {
		t.Errorf("cause:reputation.* selects %q", got)
	}
	if err := k.Revise(ctx, "02", nil, nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("Revise(02) = %v, want ErrNotFound", err)
	}
	close(q)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := k.Revise(ctx, "01A", nil, []inspect.Finding{{Cause: "recipient.unknown"}}); err != nil {
		t.Errorf("Revise behind the keeper's end: %v", err)
	}
	checkRevised(t, s, 1)
}

// checkRevised reads a session whose 10 events a probe has added one to.
func checkRevised(t *testing.T, s *Store, findings int) {
	t.Helper()
	v, err := s.Session(t.Context(), "01A")
	if err != nil || len(v.Events) != 11 || v.Events[10].Probe == nil || len(v.Findings) != findings {
		t.Fatalf("session = %+v, %v; want its 10 events, the answer behind them, and %d findings", v, err, findings)
	}
	if want := (&inspect.Direct{Tested: true, WouldConnect: true, Text: "would connect"}); !reflect.DeepEqual(v.Direct, want) {
		t.Errorf("direct = %+v, want %+v", v.Direct, want)
	}
}
