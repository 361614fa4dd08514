package testenv_test

import (
	"context"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
	"smtp-proxy/testenv"
)

// TestHistory: what a History tells is a record like any other.
func TestHistory(t *testing.T) {
	const sessions = 3000
	s, err := store.Open(t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	until := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	h := &testenv.History{Sessions: sessions, Until: until, Span: 24 * time.Hour}
	if err := store.NewKeeper(s, store.KeeperOptions{Annotate: h.Findings}).Run(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	outcomes, causes, last := map[inspect.Outcome]int{}, map[string]int{}, time.Time{}
	err = s.Sessions(context.Background(), inspect.Filter{}, 0, func(v *inspect.Session) error {
		if last.IsZero() {
			last = v.Started
		}
		outcomes[v.Outcome]++
		for _, f := range v.Findings {
			causes[f.Cause]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !last.Equal(until) {
		t.Errorf("the last session began at %s, want %s", last, until)
	}
	if n := outcomes[inspect.Delivered] + outcomes[inspect.Rejected]; n != sessions || outcomes[inspect.Rejected] < sessions/10 {
		t.Errorf("outcomes %v of %d sessions, want delivered ones and a tenth or more rejected", outcomes, sessions)
	}
	if causes["recipient.unknown"] < sessions/20 || causes["rate.messages"] == 0 {
		t.Errorf("causes %v, want recipient.unknown among the common ones", causes)
	}
}
