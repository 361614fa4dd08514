package main

import (
	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/inspect/store"
	"smtp-proxy/proxy/session"
)

// explain has the keeper's sessions explained, and named after the provider of
// their upstream. The engine remembers each that has ended: what it says of
// the next rests on that.
func (x *plant) explain(o *store.KeeperOptions) error {
	set, err := rules.Load()
	if err != nil {
		return err
	}
	d := diagnose.Options{Built: builtAt(), Now: x.now, Failed: x.diagnosisFailed}
	if x.store != nil { // a nil *Store in the interface would not be nil
		d.History = x.store
	}
	if x.config.Annotate {
		x.onReplies = replyAnnotator{diagnose.New(set, diagnose.Options{Built: d.Built, Failed: d.Failed})}
	}
	engine := diagnose.New(set, d)
	x.rules, x.engine = set, engine
	o.Began = func(s *session.Info) { engine.Began(s.ID, s.Upstream, s.Started) }
	o.Annotate = engine.Judge
	o.Keeps = func(s *inspect.Session) bool { return x.ended != nil || mayBeAsked(s) }
	if x.config.Probe == "auto" {
		x.inquiry = newInquiry(x, engine.Questions, o.Annotate)
	}
	return nil
}

// mayBeAsked reports whether there may be a question about a session that has
// ended, so that it is kept: the inquiry takes no others. Most sessions are
// healthy and spoke in clear.
func mayBeAsked(s *inspect.Session) bool { return s.App.TLS != nil || len(s.Findings) > 0 }

// diagnosisFailed reports a bug in the diagnosis, or a history that cannot be
// read. Mail is none the worse for it.
func (x *plant) diagnosisFailed(err error) {
	x.log.Error().Err(err).Msg("a diagnosis is incomplete")
}
