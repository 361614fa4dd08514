package store

import "smtp-proxy/proxy/session"

// spare is memory for what sessions have to write, lent to those that have
// something: most of those that are open have nothing.
type spare []loan

type loan struct {
	entries []*session.Entry
	bodies  []piece
	touched []int64
}

// Bounds of what is kept for the next batch.
const (
	maxSpare     = 512  // loans
	maxSpareSize = 1024 // entries or pieces of one
)

func (l *spare) lend(s *kept) {
	n := len(*l)
	if n == 0 {
		s.entries = make([]*session.Entry, 0, usualEntries)
		return
	}
	s.entries, s.bodies, s.touched = (*l)[n-1].entries, (*l)[n-1].bodies, (*l)[n-1].touched
	(*l)[n-1] = loan{}
	*l = (*l)[:n-1]
}

// usualEntries is how many a session with one message has.
const usualEntries = 24

// takeBack takes the memory of a session whose batch has been written.
func (l *spare) takeBack(s *kept) {
	if len(*l) < maxSpare && cap(s.entries) <= maxSpareSize && cap(s.bodies) <= maxSpareSize {
		*l = append(*l, loan{s.entries, s.bodies, s.touched})
	}
	s.entries, s.bodies, s.touched = nil, nil, nil
}

// retired is memory of sessions that have ended and been written, for those
// that begin.
type retired []*kept

// put takes a session that no one refers to any more.
func (l *retired) put(s *kept) {
	if len(*l) < maxSpare {
		s.forget()
		*l = append(*l, s)
	}
}

func (l *retired) take() *kept {
	n := len(*l)
	if n == 0 {
		return new(kept)
	}
	s := (*l)[n-1]
	(*l)[n-1] = nil
	*l = (*l)[:n-1]
	return s
}
