package probe

import (
	"errors"
	"slices"
	"sync"
	"time"
)

// The bounds of asking blocklists. They serve for nothing, and count.
const (
	perAddress   = time.Hour // between two times that one address is looked up
	maxLookedUp  = 48        // addresses in that time: a hostile reply may name any
	budgetMinute = time.Minute
	smarthosts   = 8 // that may use up their budgets within a minute: redirected apps have as many as they like
)

// budget bounds what probes cost others: how many connections a smarthost gets
// within any minute, and all of them together, so that no number of failing
// sessions looks like an attack, and how often the blocklists are asked about
// an address.
type budget struct {
	perMinute int

	mu       sync.Mutex
	spent    map[string][]time.Time // target name -> when it was connected to, oldest first
	lookedUp map[string]time.Time   // address -> when the blocklists were asked about it
}

func newBudget(perMinute int) *budget {
	return &budget{perMinute: perMinute, spent: map[string][]time.Time{}, lookedUp: map[string]time.Time{}}
}

// spend reports whether the target may be connected to now, and counts it.
func (b *budget) spend(target string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.forget(now)
	if len(b.spent[target]) >= b.perMinute || all >= smarthosts*b.perMinute {
		return false
	}
	b.spent[target] = append(b.spent[target], now)
	return true
}

// forget drops what is older than a minute, and returns how many connections
// there were since.
func (b *budget) forget(now time.Time) (all int) {
	for target, times := range b.spent {
		recent := slices.IndexFunc(times, func(t time.Time) bool { return now.Sub(t) < budgetMinute })
		if recent < 0 {
			delete(b.spent, target)
			continue
		}
		b.spent[target] = times[recent:]
		all += len(times) - recent
	}
	return all
}

// lookUp says why the blocklists may not be asked about an address now; nil
// when they may, which is counted.
func (b *budget) lookUp(address string, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for known, at := range b.lookedUp {
		if now.Sub(at) >= perAddress {
			delete(b.lookedUp, known)
		}
	}
	if _, ok := b.lookedUp[address]; ok {
		return errors.New("they were asked about it within this hour, and none had an answer")
	}
	if len(b.lookedUp) >= maxLookedUp {
		return errors.New("they were asked about many addresses within this hour")
	}
	b.lookedUp[address] = now
	return nil
}

// giveBack undoes lookUp where the caller broke off.
func (b *budget) giveBack(address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.lookedUp, address)
}
