package diagnose

import (
	"time"

	"smtp-proxy/inspect"
)

// History tells what was recorded before this engine was made. It is asked
// once for each upstream, when a session to it fails for the first time, and
// may wait for a disk: an engine on a byte's way has none. The store
// implements it.
type History interface {
	// Recent returns sessions to an upstream (host:port as configured) that
	// began after a moment and have ended: newest first, without events, no
	// more than limit.
	Recent(upstream string, since time.Time, limit int) ([]*inspect.Session, error)
	// LastGood returns the latest session in which an upstream accepted mail,
	// with its events; nil when there is none.
	LastGood(upstream string) (*inspect.Session, error)
	// LastGoodOn returns the same of a route, whatever its upstream was then.
	LastGoodOn(route string) (*inspect.Session, error)
}

// Began says that a session to an upstream has begun, so that the engine knows
// how many there are at once.
func (e *Engine) Began(id, upstream string, at time.Time) { e.memory.began(id, upstream, at) }

// Remember keeps what later findings compare with: that a session has ended,
// with these findings, and what it showed when it went well. The session
// itself is not kept. One that is told of twice counts once.
func (e *Engine) Remember(s *inspect.Session, findings []inspect.Finding) {
	e.contain("history", s.ID, func() { e.memory.remember(s, findings) })
}

// recall adds to findings what other sessions have to say about them.
func (e *Engine) recall(f *facts, findings []inspect.Finding) {
	if len(findings) == 0 {
		return
	}
	p := f.past()
	for i := range findings {
		p.recur(&findings[i], f.s)
		p.pattern(&findings[i], f.s, e.set)
	}
	p.changed(findings, f.s)
}

// past returns what is known of earlier sessions to the upstream, read when it
// is first wanted: healthy sessions never want it.
func (f *facts) past() *past {
	if f.before == nil {
		f.before = &past{}
		if f.memory != nil {
			var err error
			*f.before, err = f.memory.recall(f.s)
			f.report(err)
		}
	}
	return f.before
}
