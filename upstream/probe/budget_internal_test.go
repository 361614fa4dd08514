package probe

import (
	"fmt"
	"testing"
	"time"
)

// The blocklists are asked about one address once an hour, and about so many
// at most, whatever the replies of smarthosts name.
func TestLookUpBudget(t *testing.T) {
	b, noon := newBudget(1), time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for i, step := range []struct {
		addr  string
		at    time.Duration
		asked bool
	}{
		{"203.0.113.5", 0, true},
		{"203.0.113.5", time.Hour - 1, false},
		{"203.0.113.6", time.Hour - 1, true},
		{"203.0.113.5", time.Hour, true},
		{"203.0.113.5", time.Hour + time.Minute, false},
	} {
		if err := b.lookUp(step.addr, noon.Add(step.at)); (err == nil) != step.asked {
			t.Errorf("look-up %d, %s at %s: got %v, want it asked: %v", i, step.addr, step.at, err, step.asked)
		}
	}
	asked := 0
	for i := range 1000 {
		if b.lookUp(fmt.Sprint("2001:db8::", i), noon.Add(3*time.Hour)) == nil {
			asked++
		}
	}
	if asked != maxLookedUp || len(b.lookedUp) != maxLookedUp {
		t.Errorf("of 1000 addresses asked %d and remembered %d, want %d", asked, len(b.lookedUp), maxLookedUp)
	}
}

// However many smarthosts there are, the connections of a minute are bounded,
// and so is what is remembered of them.
func TestBudgetOfAll(t *testing.T) {
	b, now := newBudget(30), time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	var at []time.Time
	for n := range 6000 { // one each 50 ms: five minutes
		now = now.Add(50 * time.Millisecond)
		if b.spend(fmt.Sprintf("192.0.2.%d:25", n%200), now) {
			at = append(at, now)
		}
		if len(b.spent) > smarthosts*30 {
			t.Fatalf("remembered %d smarthosts, want no more than %d", len(b.spent), smarthosts*30)
		}
	}
	for i, from := range at {
		if j := i + smarthosts*30; j < len(at) && at[j].Sub(from) < time.Minute {
			t.Fatalf("connection %d and %d are %s apart, want a minute", i, j, at[j].Sub(from))
		}
	}
	if want := 5 * smarthosts * 30; len(at) != want {
		t.Errorf("spent %d connections in five minutes, want %d", len(at), want)
	}
}
