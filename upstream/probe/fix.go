package probe

import (
	"context"
	"slices"
	"time"

	"smtp-proxy/upstream"
)

// How a search for a fix works.
//
// What the check has seen of the smarthost is where it begins. Each remedy looks
// at what failed and proposes settings that differ by one thing; each proposal is
// tried by a dialogue of its own that ends before it would sign in, the cheaper
// ones first. When none of them gets through, the two that came furthest are
// taken as a new beginning, so that at most two things are changed at once. The
// one that is best in the end may sign in, if nobody has done so with this
// password before. No trial names a recipient.

// The bounds of a search.
const (
	maxTrials  = 12 // dialogues, that of the sign-in not counted
	trialsOnce = 4  // of them at the same time
	trialWait  = 6 * time.Second
	stepsOn    = 2 // beginnings for a second change
)

// Search says what a search for a fix starts from.
type Search struct {
	Script    Script           // of the check; its recipient and its message are left out
	Before    Report           // what the check has found
	Reach     upstream.Options // how the connector of the prober was made
	Hosts     []string         // smarthosts that many know by name, for slips of the finger
	Resolvers []string         // DNS servers to ask instead, as ip:port; empty is the system's
	UserForm  UserForm         // of the provider
}

// Fix is what a search has come to.
type Fix struct {
	Change  string   // the one change to make, in the words of an app's settings; empty when there is none
	Flags   []string // the same for run, a flag with its value each
	Reached string   // the last part of a session that is well with it, or without any change
	Text    string   // what there is to say beside it: what has not been tried, or why nothing helps
	Tried   []Tried  // in the order of cost
}

// Tried is one set of settings that was tried.
type Tried struct {
	Change  string
	Reached string
	Text    string // why it went no further; empty when it got through
}

// search is the search for a fix under way.
type search struct {
	prober *Prober
	want   Search
	base   outcome
	left   int // trials that may still be made
	seen   map[settings]bool
	tried  []outcome
}

// Fix looks for the smallest change of the settings with which the smarthost
// can be used, and stops at the end of ctx with the best so far. It signs in
// once at most, and not at all when the check has; it sends neither RCPT nor
// DATA.
func (p *Prober) Fix(ctx context.Context, t upstream.Target, want Search) Fix {
	s := &search{prober: p, want: want, left: maxTrials, seen: map[settings]bool{}}
	s.begin(ctx, t)
	if s.base.good(s) {
		return s.conclude(ctx, s.base)
	}
	s.round(ctx, s.base)
	for _, from := range s.furthest() {
		if s.best().good(s) {
			break
		}
		s.round(ctx, from)
	}
	best := s.best()
	if s.maySignIn(best) {
		best = s.signIn(ctx, best)
	}
	if advice := s.advice(ctx, best); len(advice) > 0 && !best.good(s) {
		best = advice[0]
	}
	return s.conclude(ctx, best)
}

// begin takes over what the check has seen. One that held no dialogue is made
// up for, without the sign-in.
func (s *search) begin(ctx context.Context, t upstream.Target) {
	first := settings{target: t, name: s.want.Script.Name, mechanism: s.want.Script.Mechanism}
	s.seen[first] = true
	if len(s.want.Before.Dialogue) == 0 {
		s.base = s.try(ctx, first)
		return
	}
	s.base = outcome{settings: first, began: first, entries: s.want.Before.Dialogue}
	for _, l := range s.want.Before.Lines {
		if slices.Contains(dialogueParts(), l.Step) {
			s.base.hear(l)
		}
	}
	s.base.read()
}

// best returns the outcome that is furthest of those that may be recommended,
// the cheaper of two that are equal; the beginning when none is beyond it.
func (s *search) best() outcome {
	best := s.base
	for _, o := range s.tried {
		if s.fit(o) && s.plausible(o) && o.beyond(best, s) {
			best = o
		}
	}
	return best
}

// furthest returns where a second change may be added to a first one: to those
// that came further than without it.
func (s *search) furthest() (list []outcome) {
	for _, o := range s.tried {
		if s.fit(o) && o.beyond(s.base, s) {
			list = append(list, o)
		}
	}
	slices.SortStableFunc(list, func(a, b outcome) int { return int(b.stage - a.stage) })
	return list[:min(len(list), stepsOn)]
}

// fit reports whether an outcome may be recommended: never one in clear where
// a password would go that way, or TLS was demanded. A smarthost that offers
// AUTH expects a password.
func (s *search) fit(o outcome) bool {
	if o.secure || o.stage < stageEHLO {
		return true
	}
	given := s.base.began.target.Mode == upstream.ModeNone
	return !s.wantsTLS() && (given || o.began.target.Mode != upstream.ModeNone || len(o.offered) == 0)
}

// plausible reports whether a host that the search has thought of has shown to
// be a smarthost: that a name exists says nothing.
func (s *search) plausible(o outcome) bool {
	return o.target.Host == s.base.began.target.Host || o.stage >= stageGreeting
}

func (s *search) wantsTLS() bool {
	switch s.base.began.target.Mode {
	case upstream.ModeSTARTTLS, upstream.ModeImplicit:
		return true
	case upstream.ModeNone: // which is the owner's word
		return false
	}
	return s.want.Script.User != ""
}
