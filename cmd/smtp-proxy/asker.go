package main

import (
	"context"
	"sync"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/policy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// asker is whom to ask about the sessions of a route.
type asker struct {
	prober    *probe.Prober
	connector *upstream.Connector
	target    upstream.Target // without a host where each connection brings its own
}

// askers are those of all routes, by name. The demo adds routes while sessions
// of others are asked about.
type askers struct {
	mu  sync.Mutex
	all map[string]asker
}

func (a *askers) of(route string) (asker, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	one, ok := a.all[route]
	return one, ok
}

// asks prepares the questions about a route's smarthost. Routes that reach
// theirs in the same way share what is known, and all of them the bounds: a
// smarthost, or a blocklist, does not see routes.
func (x *plant) asks(r policy.Route, c *upstream.Connector) {
	t, err := x.target(r)
	if err != nil {
		return
	}
	x.askers.mu.Lock()
	defer x.askers.mu.Unlock()
	if x.askers.all == nil {
		x.askers.all = map[string]asker{}
	}
	a := asker{connector: c, target: t}
	var beside *probe.Prober
	for _, other := range x.askers.all {
		if beside = other.prober; other.connector == c {
			a.prober = other.prober
		}
	}
	if a.prober == nil {
		a.prober = probe.New(probe.Options{Connector: c, Now: x.now, Beside: beside})
	}
	x.askers.all[r.Name] = a
}

// asker finds whom to ask about a session, and where.
func (x *plant) asker(s *inspect.Session) (prober, upstream.Target, bool) {
	a, ok := x.askers.of(s.Route)
	if !ok {
		return nil, upstream.Target{}, false
	}
	t := a.target
	if t.Name != s.Upstream.Name {
		var err error
		if t, err = redirectedTarget(a.target, s.Upstream.Name); err != nil {
			return nil, t, false
		}
	}
	if tlsFirst(s) {
		t.Mode = upstream.ModeImplicit
	}
	return a.prober, t, true
}

// redirectedTarget is where a redirected session was going. As for the session
// itself, what the owner said of the smarthost, its name in the certificate
// above all, holds for that smarthost's port.
func redirectedTarget(known upstream.Target, dest string) (upstream.Target, error) {
	t, err := upstream.ParseTarget(dest, known.Mode)
	switch {
	case err != nil || known.Host == "":
		return t, err
	case t.Port == known.Port:
		t.Host = known.Host
		return t, nil
	}
	return upstream.ParseTarget(dest, upstream.ModeAuto)
}

// tlsFirst reports a passthrough session that began with TLS: the port is an
// implicit one, whatever its number.
func tlsFirst(s *inspect.Session) bool {
	for i := range s.Events {
		switch e := &s.Events[i]; {
		case e.Kind == session.KindTLS && e.TLS != nil:
			return e.TLS.Passthrough
		case e.Kind == session.KindCommand, e.Kind == session.KindGreeting:
			return false
		}
	}
	return false
}

// newInquiry ties an inquiry to the plant.
func newInquiry(x *plant, questions func(*inspect.Session) []diagnose.Question, annotate func(*inspect.Session) []inspect.Finding) *inquiry {
	return &inquiry{
		questions: questions,
		prober:    x.asker,
		annotate:  annotate,
		revise: func(s *inspect.Session, answers []session.Entry) error {
			return x.keeper.Revise(context.Background(), s.ID, answers, s.Findings)
		},
		changed: func(s *inspect.Session) { logSession(x.log, s) },
		log:     x.log,
		queue:   make(chan *inspect.Session, inquiryQueue),
	}
}
