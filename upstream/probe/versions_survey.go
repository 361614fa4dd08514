package probe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream"
)

// How a survey works. Each question is a hello, and each hello needs a
// connection of its own; a smarthost names one suite and one group in its
// answer. So what it takes is found out by taking the chosen ones out of the
// offer and asking again, until it refuses. These rows of questions run side
// by side, the more telling first: all versions; then what is weak; then the
// sound suites of TLS 1.2 and the groups of TLS 1.3; those of older versions
// last. Whatever the bounds cut off is missing at the end, and is said to be.
//
// TLS 1.3 is asked without a key for any group. The smarthost then names the
// one that it wants (a HelloRetryRequest; RFC 8446, section 4.1.4), which
// costs neither side a key exchange.

// The bounds of one survey.
const (
	maxSurveyed = 24              // connections
	surveyTime  = 8 * time.Second // of the 20 that a check has
	surveySlack = 500 * time.Millisecond
)

var (
	errEnough = fmt.Errorf("%d connections are enough for one check", maxSurveyed)
	errLate   = errors.New("there was no time left for it")
)

// survey finds out what a smarthost takes of TLS.
type survey struct {
	prober *Prober
	target upstream.Target
	wait   time.Duration // for one answer
	left   atomic.Int32  // connections that may still be made
	grades []*grade      // the newest version first
	order  order

	nameless bool  // the server name is refused: it is left out
	cut      error // why not all was asked; nil if all was
}

// trial is an offer, and what to ask next by the answer to it.
type trial struct {
	rank  int // the lower are asked first
	offer offer
	then  func(reading) []trial
}

// The ranks of trials.
const (
	rankVersions = iota
	rankWeak
	rankSuites
	rankOld
)

func newSurvey(p *Prober, t upstream.Target, wait time.Duration) *survey {
	s := &survey{prober: p, target: t, wait: min(wait, p.options.Timeout)}
	s.left.Store(maxSurveyed)
	for _, v := range append(allVersions(), wire.VersionSSL30) {
		s.grades = append(s.grades, &grade{version: v})
	}
	return s
}

// connections is how many were made.
func (s *survey) connections() int { return maxSurveyed - int(max(0, s.left.Load())) }

// answered reports whether anything is known of any version. Where a name is
// what is refused, the refusals of versions tell nothing.
func (s *survey) answered() bool {
	return len(s.in(stateTaken)) > 0 || len(s.in(stateRefused)) > 0 && len(s.in(stateName)) == 0
}

// run asks until nothing is open, or a bound or ctx ends it. Its last words
// have to be heard before ctx ends.
func (s *survey) run(ctx context.Context) {
	limit := surveyTime
	if until, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(until)-surveySlack)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var open []trial
	for _, g := range s.grades {
		open = append(open, s.first(g))
	}
	for len(open) > 0 && s.cut == nil {
		if timeUp(ctx) {
			s.cut = errLate
			return
		}
		slices.SortStableFunc(open, func(a, b trial) int { return a.rank - b.rank })
		n := slices.IndexFunc(open, func(q trial) bool { return q.rank != open[0].rank })
		if n < 0 {
			n = len(open)
		}
		n = min(n, s.prober.options.AtOnce)
		open = append(slices.Clone(open[n:]), s.round(ctx, open[:n])...)
	}
}

// round asks a few questions side by side. Between the rounds the other steps
// of the check get their turn with the smarthost.
func (s *survey) round(ctx context.Context, batch []trial) (next []trial) {
	leave, err := s.prober.gate.enter(ctx, s.target)
	if err != nil {
		s.cut = errLate
		return nil
	}
	defer leave()
	known := s.prober.grids.of(s.target.Name, s.prober.options.Now())
	readings, errs := make([]reading, len(batch)), make([]error, len(batch))
	var asking sync.WaitGroup
	for i, q := range batch {
		var ok bool
		if readings[i], ok = known.cell(q.offer.key(), s.prober.options); !ok {
			asking.Go(func() { readings[i], errs[i] = s.ask(ctx, q.offer) })
		}
	}
	asking.Wait()
	for i, q := range batch {
		if errs[i] != nil {
			s.cut = errs[i]
			continue
		}
		known.keepCell(q.offer.key(), readings[i])
		next = append(next, q.then(readings[i])...)
	}
	return next
}

// ask makes one offer; again, if the connection broke without a word. Silence
// is an answer, of a fault.
func (s *survey) ask(ctx context.Context, o offer) (reading, error) {
	for tries := 1; ; tries++ {
		if s.left.Add(-1) < 0 {
			return reading{}, errEnough
		}
		r, err := s.askOnce(ctx, o)
		if err != nil || !r.flaky() || tries == 2 {
			return r, err
		}
	}
}

func (s *survey) askOnce(ctx context.Context, o offer) (reading, error) {
	limited, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	r, err := s.prober.askOnce(limited, s.target, o)
	silent := err == nil && r.fault != nil && r.fault.Class == session.FaultTimeout
	switch {
	case (err != nil || silent) && timeUp(ctx):
		err = errLate
	case err != nil && limited.Err() != nil:
		r, err = reading{at: s.prober.options.Now(), fault: silence()}, nil
	}
	return r, err
}

// timeUp reports that ctx has ended, or is about to: a connection notices the
// deadline that they share a moment earlier.
func timeUp(ctx context.Context) bool {
	const moment = 50 * time.Millisecond
	until, bounded := ctx.Deadline()
	return ctx.Err() != nil || bounded && time.Until(until) < moment
}

// silence is the fault of a smarthost that does not answer in time.
func silence() *session.Fault {
	return &session.Fault{Op: "handshake", Class: session.FaultTimeout, Text: "no answer in time"}
}
