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
