package probe

import (
	"slices"
	"sync"
	"time"
)

// budget bounds how many connections a smarthost gets within any minute, so
// that no number of failing sessions looks like an attack to it.
type budget struct {
	perMinute int

	mu    sync.Mutex
	spent map[string][]time.Time // target name -> when it was connected to, oldest first
}

func newBudget(perMinute int) *budget {
	return &budget{perMinute: perMinute, spent: map[string][]time.Time{}}
}

// spend reports whether the target may be connected to now, and counts it.
func (b *budget) spend(target string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(now)
	if len(b.spent[target]) >= b.perMinute {
		return false
	}
	b.spent[target] = append(b.spent[target], now)
	return true
}

// forget drops what is older than a minute. What is left is bounded by the
// number of smarthosts that were asked within it.
func (b *budget) forget(now time.Time) {
	for target, times := range b.spent {
		recent := slices.IndexFunc(times, func(t time.Time) bool { return now.Sub(t) < time.Minute })
		if recent < 0 {
			delete(b.spent, target)
			continue
		}
		b.spent[target] = times[recent:]
	}
}
