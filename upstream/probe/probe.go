package probe

import (
	"sync/atomic"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// The results of a probe, as they stand in records.
const (
	resultOK   = "ok"
	resultFail = "fail"
	resultSkip = "skip" // could not be asked, or the answer does not decide
)

// Options says how smarthosts are asked. Only Connector has to be given.
type Options struct {
	Connector  *upstream.Connector
	Now        func() time.Time // nil means the clock
	Name       string           // for EHLO; empty means this machine's full name, or its address in brackets
	Timeout    time.Duration    // one connection from the dial to the answer; 0 means 15 s
	AtOnce     int              // questions in progress, over all smarthosts; 0 means 4
	PerMinute  int              // connections to one smarthost; 0 means 30
	Keep       time.Duration    // how long an answer is good for; 0 means an hour
	HTTPSPort  int              // where the policies of domains are fetched; 0 means 443
	Beside     *Prober          // shares its bounds, and what blocklists said, with this one; nil means that it is alone
	OtherPorts []int            // of a smarthost, that Ports asks beside its own; nil means 25, 465, 587, 2525 and, as a control, 443
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Timeout <= 0 {
		o.Timeout = 15 * time.Second
	}
	if o.AtOnce <= 0 {
		o.AtOnce = 4
	}
	if o.PerMinute <= 0 {
		o.PerMinute = 30
	}
	if o.Keep <= 0 {
		o.Keep = time.Hour
	}
	if o.OtherPorts == nil {
		o.OtherPorts = otherPorts()
	}
	if o.HTTPSPort == 0 {
		o.HTTPSPort = 443
	}
	return o
}

// Prober asks questions. It may be used by many sessions at once.
type Prober struct {
	options Options
	gate    *gate
	budget  *budget
	grids   *grids
	answers *answers
	lists   *listMemory
	counts  counts
}

// New returns a prober. Nothing is asked before the first question.
func New(o Options) *Prober {
	o = o.withDefaults()
	p := &Prober{options: o, grids: newGrids(), answers: newAnswers()}
	if other := o.Beside; other != nil {
		p.gate, p.budget, p.lists = other.gate, other.budget, other.lists
	} else {
		p.gate, p.budget, p.lists = newGate(o.AtOnce), newBudget(o.PerMinute), newListMemory()
	}
	return p
}

// Counts is what a prober has done since its start.
type Counts struct {
	Asked       uint64 // questions
	Cached      uint64 // of them answered without a connection
	Skipped     uint64 // of them not answered
	Connections uint64 // to smarthosts
}

type counts struct{ asked, cached, skipped, connections atomic.Uint64 }

// Counts returns what was done so far.
func (p *Prober) Counts() Counts {
	return Counts{
		Asked:       p.counts.asked.Load(),
		Cached:      p.counts.cached.Load(),
		Skipped:     p.counts.skipped.Load(),
		Connections: p.counts.connections.Load(),
	}
}

// answer makes the entry of a question that has been dealt with, and counts
// it.
func (p *Prober) answer(t upstream.Target, e session.Entry) session.Entry {
	p.counts.asked.Add(1)
	switch {
	case e.Probe.Cached:
		p.counts.cached.Add(1)
	case e.Probe.Result == resultSkip:
		p.counts.skipped.Add(1)
	}
	e.At, e.Leg, e.From = p.options.Now(), session.Upstream, session.FromProxy
	e.Kind, e.Own = session.KindProbe, true
	if e.Phase == "" {
		e.Phase = session.PhaseTLS
	}
	e.Probe.Target = t.Name
	return e
}
