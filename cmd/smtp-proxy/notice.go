package main

import (
	"sync"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// notices warns of certificates that end soon: in the log, since nobody looks
// at the record of sessions that go well, and once a day for each upstream.
type notices struct {
	mu   sync.Mutex
	told map[string]time.Time
}

const (
	noticeEvery = 24 * time.Hour
	mostNotices = 1000 // upstreams remembered
)

// tell logs what a session that has ended says of the upstream's certificate.
func (n *notices) tell(log zerolog.Logger, s *inspect.Session) {
	for i := range s.Events {
		e := &s.Events[i]
		if e.Odd == session.OddExpiring && n.due(s.Upstream.Name, e.At) {
			log.Warn().Str("session", s.ID).Str("upstream", s.Upstream.Name).Msg(visible(e.Text))
		}
	}
}

// due reports whether a warning about an upstream has not been given of late.
func (n *notices) due(name string, at time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if last, known := n.told[name]; known && at.Sub(last) < noticeEvery {
		return false
	}
	if n.told == nil || len(n.told) >= mostNotices {
		n.told = map[string]time.Time{}
	}
	n.told[name] = at
	return true
}
