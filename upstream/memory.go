package upstream

import (
	"fmt"
	"sync"
	"time"
)

// The bounds of what is remembered of the DNS.
const (
	maxRemembered = 256
	maxTTL        = time.Minute
)

// memory keeps good answers for as long as their time to live allows, and a
// minute at most, so that a change shows soon. Failures are never kept: the
// next session asks anew.
type memory struct {
	mu    sync.Mutex
	names map[string]remembered
}

type remembered struct {
	answers []answer
	until   time.Time
}

func newMemory() *memory { return &memory{names: map[string]remembered{}} }

// keep remembers answers about host, all settled and one with an address.
func (m *memory) keep(host string, answers []answer, now time.Time) {
	ttl, found := maxTTL, false
	for _, a := range answers {
		if !a.settled() {
			return
		}
		if len(a.addrs) > 0 {
			ttl, found = min(ttl, a.ttl), true
		}
	}
	if !found || ttl <= 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.makeRoom(now)
	m.names[host] = remembered{answers: answers, until: now.Add(ttl)}
}

// recall returns what is known of host, worded as remembered, or nil.
func (m *memory) recall(host string, now time.Time) []answer {
	m.mu.Lock()
	known, ok := m.names[host]
	m.mu.Unlock()
	if !ok || !now.Before(known.until) {
		return nil
	}
	var again []answer
	for _, a := range known.answers {
		a.at = now
		a.lookup.Duration = 0
		a.text += fmt.Sprintf(" (remembered for another %s)", known.until.Sub(now).Round(time.Second))
		again = append(again, a)
	}
	return again
}

// makeRoom drops what has run out, and something else if that is not enough.
func (m *memory) makeRoom(now time.Time) {
	if len(m.names) < maxRemembered {
		return
	}
	for host, known := range m.names {
		if !now.Before(known.until) {
			delete(m.names, host)
		}
	}
	for host := range m.names {
		if len(m.names) < maxRemembered {
			return
		}
		delete(m.names, host)
	}
}
