package diagnose

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"smtp-proxy/inspect"
)

// How much is remembered.
const (
	maxUpstreams = 500
	maxRoutes    = 500
	maxEpisodes  = 100                // sessions of an upstream
	maxProfiles  = 32                 // good sessions of an upstream: one for each app and address
	episodeAge   = 7 * 24 * time.Hour // what is older does not count
)

// memory is what an engine knows of earlier sessions. It fills up as sessions
// end, and once per upstream from the history, if there is one.
type memory struct {
	history History // may be nil

	mu        sync.Mutex
	upstreams map[string]*upstreamPast
	routes    map[string]*profile // the last good session of each before this process; nil: none, or it does not matter any more
	uses      int64
}

// upstreamPast is what is known of one upstream.
type upstreamPast struct {
	seeded   bool  // the history has been asked
	used     int64 // when it was last wanted, counted
	open     map[string]time.Time
	episodes []episode  // a ring once it is full
	next     int        // where the ring goes on: at the oldest end
	good     []*profile // latest last
	largest  int64      // message that was accepted
}

// episode is what is remembered of every session.
type episode struct {
	id       string
	started  time.Time
	ended    time.Time
	accepted bool // mail was taken
	causes   []string
	slowed   time.Time // when it was told to slow down; zero when it was not
}

// past is a view of an upstreamPast that its user owns. Profiles are never
// changed.
type past struct {
	episodes  []episode // without the session at hand; oldest start first
	open      []time.Time
	good      []*profile
	largest   int64
	elsewhere *profile // the route's last good session, when this upstream has none
}

func newMemory(h History) *memory {
	return &memory{history: h, upstreams: map[string]*upstreamPast{}, routes: map[string]*profile{}}
}

func (m *memory) began(id, upstream string, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.upstream(upstream).open[id] = at
}

func (m *memory) remember(s *inspect.Session, findings []inspect.Finding) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.upstream(s.Upstream.Name)
	_, first := u.open[s.ID] // it is not told of a second time
	delete(u.open, s.ID)
	u.episode(episodeOf(s, findings), first)
	if !accepted(s) {
		return
	}
	u.learn(profileOf(s))
	if _, known := m.routes[s.Route]; known || len(m.routes) < maxRoutes {
		m.routes[s.Route] = nil
	}
}

// upstream returns what is known of an upstream. Where there are too many, as
// with a transparent proxy, the one that was wanted longest ago is forgotten.
func (m *memory) upstream(name string) *upstreamPast {
	m.uses++
	u := m.upstreams[name]
	if u == nil {
		if len(m.upstreams) >= maxUpstreams {
			m.forget()
		}
		u = &upstreamPast{open: map[string]time.Time{}}
		m.upstreams[name] = u
	}
	u.used = m.uses
	return u
}

func (m *memory) forget() {
	oldest, at := "", m.uses
	for name, u := range m.upstreams {
		if u.used < at {
			oldest, at = name, u.used
		}
	}
	delete(m.upstreams, oldest)
}

// recall returns what is known of the upstream of a session. An error means
// that the history could not be read; what is known is there all the same.
func (m *memory) recall(s *inspect.Session) (past, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.upstream(s.Upstream.Name)
	err := m.seed(u, s.Upstream.Name, s.Started)
	p := past{largest: u.largest}
	for i := range u.episodes {
		e := u.episodes[(u.next+i)%len(u.episodes)]
		if e.id != s.ID && s.Started.Sub(e.started) <= episodeAge && !later(e.started, s) {
			p.episodes = append(p.episodes, e)
		}
	}
	for _, g := range u.good {
		if !later(g.at, s) {
			p.good = append(p.good, g)
		}
	}
	slices.SortStableFunc(p.episodes, func(a, b episode) int { return a.started.Compare(b.started) })
	for id, at := range u.open {
		if id != s.ID {
			p.open = append(p.open, at)
		}
	}
	if len(p.good) == 0 {
		var lastErr error
		p.elsewhere, lastErr = m.lastOn(s.Route)
		err = errors.Join(err, lastErr)
	}
	return p, err
}

// later reports what began behind a session's end: it may be diagnosed once
// more long after.
func later(at time.Time, s *inspect.Session) bool { return !s.Ended.IsZero() && at.After(s.Ended) }

// seed asks the history about an upstream, once; also when it fails, lest
// every failing session waits for a failing disk.
func (m *memory) seed(u *upstreamPast, name string, now time.Time) error {
	if u.seeded || m.history == nil {
		return nil
	}
	u.seeded = true
	recent, err := m.history.Recent(name, now.Add(-episodeAge), maxEpisodes)
	last, lastErr := m.history.LastGood(name)
	if last != nil { // it comes with events, those of Recent without
		recent = append([]*inspect.Session{last}, slices.DeleteFunc(recent, func(s *inspect.Session) bool { return s.ID == last.ID })...)
	}
	live := *u
	u.episodes, u.next, u.good = nil, 0, nil
	for _, s := range slices.Backward(recent) {
		u.episode(episodeOf(s, s.Findings), false)
		if accepted(s) {
			u.learn(profileOf(s))
		}
	}
	for i := range live.episodes {
		u.episode(live.episodes[(live.next+i)%len(live.episodes)], false)
	}
	for _, p := range live.good {
		u.learn(p)
	}
	return errors.Join(err, lastErr)
}

// lastOn returns the last good session that a route had before this process.
// A route that goes to several upstreams within one process does so by design,
// as a transparent one: then another upstream is no change.
func (m *memory) lastOn(route string) (*profile, error) {
	if p, known := m.routes[route]; known || m.history == nil {
		return p, nil
	}
	if len(m.routes) >= maxRoutes {
		maps.DeleteFunc(m.routes, func(string, *profile) bool { return true })
	}
	m.routes[route] = nil
	s, err := m.history.LastGoodOn(route)
	if s != nil {
		m.routes[route] = profileOf(s)
	}
	return m.routes[route], err
}

// episode adds one, in the place of an older view of the same session. first
// says that there is none.
func (u *upstreamPast) episode(e episode, first bool) {
	for i := 0; i < len(u.episodes) && !first; i++ {
		if u.episodes[i].id == e.id {
			u.episodes[i] = e
			return
		}
	}
	if len(u.episodes) < maxEpisodes {
		u.episodes = append(u.episodes, e)
		return
	}
	u.episodes[u.next] = e
	u.next = (u.next + 1) % maxEpisodes
}

// learn adds the profile of a good session, in the place of the last one of
// the same app that reached the same address.
func (u *upstreamPast) learn(p *profile) {
	u.largest = max(u.largest, p.size)
	same := slices.IndexFunc(u.good, func(q *profile) bool { return q.who == p.who })
	switch {
	case same >= 0:
		u.good = slices.Delete(u.good, same, same+1)
	case len(u.good) >= maxProfiles:
		u.good = slices.Delete(u.good, 0, 1)
	}
	u.good = append(u.good, p)
}

func episodeOf(s *inspect.Session, findings []inspect.Finding) episode {
	e := episode{id: s.ID, started: s.Started, ended: s.Ended, accepted: accepted(s)}
	for i := range findings {
		if c := findings[i].Cause; !slices.Contains(e.causes, c) {
			e.causes = append(e.causes, c)
		}
	}
	if len(findings) > 0 {
		e.slowed = slowedAt(s, &findings[0])
	}
	return e
}

// accepted reports whether a session got a message through.
func accepted(s *inspect.Session) bool {
	return s.Outcome == inspect.Delivered || s.Outcome == inspect.Partial
}
