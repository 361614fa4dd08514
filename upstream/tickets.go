package upstream

import (
	"crypto/tls"
	"sync"
	"time"
)

// The bounds of what is remembered for resumption.
const (
	maxTickets = 256
	maxResume  = time.Hour // a changed certificate shows after this at the latest
)

// tickets keeps one TLS session for each target. Only sessions whose chain
// was trusted are kept, and none longer than that chain lasts: the library
// checks neither while its own verification is off.
type tickets struct {
	mu   sync.Mutex
	kept map[string]ticket
}

type ticket struct {
	state *tls.ClientSessionState
	until time.Time
	trust trust // of the chain that the session was made with
}

func newTickets() *tickets { return &tickets{kept: map[string]ticket{}} }

func (t *tickets) recall(target string, now time.Time) (ticket, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept, ok := t.kept[target]
	if !ok || !now.Before(kept.until) {
		return ticket{}, false
	}
	return kept, true
}

func (t *tickets) keep(target string, new ticket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for other := range t.kept {
		if len(t.kept) < maxTickets {
			break
		}
		delete(t.kept, other)
	}
	t.kept[target] = new
}

func (t *tickets) forget(target string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.kept, target)
}

// ticketBox is the tickets as one handshake sees them. The library's key is
// the server name alone, which two ports of one host have in common.
type ticketBox struct {
	all *tickets
	h   *handshake
}

// Get implements [tls.ClientSessionCache].
func (b *ticketBox) Get(string) (*tls.ClientSessionState, bool) {
	kept, ok := b.all.recall(b.h.target.Name, time.Now())
	b.h.recalled = kept
	return kept.state, ok
}

// Put implements [tls.ClientSessionCache]; nil takes a session back that the
// smarthost did not accept.
func (b *ticketBox) Put(_ string, state *tls.ClientSessionState) {
	switch now := time.Now(); {
	case state == nil:
		b.all.forget(b.h.target.Name)
	case now.Before(b.h.until):
		b.all.keep(b.h.target.Name, ticket{state: state, until: earlier(b.h.until, now.Add(maxResume)), trust: b.h.trust})
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
