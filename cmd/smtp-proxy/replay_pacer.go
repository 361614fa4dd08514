package main

import (
	"context"
	"sync"
	"time"
)

// gentle is between the beginnings of two sessions to another machine, where
// no rate is given: many smarthosts take more for an attack.
const gentle = 200 * time.Millisecond

// pacer spreads the beginnings of sessions.
type pacer struct {
	rate rate

	mu   sync.Mutex
	next time.Time
}

// wait returns when a session to a place may begin, or with the error of ctx.
func (p *pacer) wait(ctx context.Context, beyond bool) error {
	every := p.rate.every
	if !p.rate.given && beyond {
		every = gentle
	}
	timer := time.NewTimer(p.turn(every))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// turn takes the next free moment and returns how far away it is.
func (p *pacer) turn(every time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	at := p.next
	if at.Before(now) {
		at = now
	}
	p.next = at.Add(every)
	return at.Sub(now)
}
