package main

import (
	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/inspect/rules"
)

// annotator returns what explains a session. It also names the provider of
// its upstream, which the record keeps.
func (x *plant) annotator() (func(*inspect.Session) []inspect.Finding, error) {
	set, err := rules.Load()
	if err != nil {
		return nil, err
	}
	o := diagnose.Options{Built: builtAt(), Now: x.now, Failed: x.diagnosisFailed}
	if x.store != nil { // a nil *Store in the interface would not be nil
		o.History = x.store
	}
	engine := diagnose.New(set, o)
	return func(s *inspect.Session) []inspect.Finding {
		s.Upstream.Provider = engine.Provider(s)
		return engine.Annotate(s)
	}, nil
}

// diagnosisFailed reports a bug in the diagnosis, or a history that cannot be
// read. Mail is none the worse for it.
func (x *plant) diagnosisFailed(err error) {
	x.log.Error().Err(err).Msg("a diagnosis is incomplete")
}
