package main

import (
	"github.com/rs/zerolog"

	"smtp-proxy/inspect"
)

// logSession writes the one line that a session gets in the log: what became
// of it, the first cause, the first step of its fix, and what has changed most
// tellingly since it last worked.
func logSession(log zerolog.Logger, s *inspect.Session) {
	e := log.Info().
		Str("session", s.ID).
		Str("route", s.Route).
		Str("app", s.App.Addr).
		Str("upstream", s.Upstream.Name).
		Str("outcome", string(s.Outcome)).
		Float64("ms", float64(lasted(s).Microseconds())/1000)
	if n := len(s.Messages); n > 0 {
		e.Int("messages", n)
	}
	if len(s.Findings) > 0 {
		logFinding(e, &s.Findings[0])
	}
	e.Msg("session")
}

func logFinding(e *zerolog.Event, f *inspect.Finding) {
	e.Str("cause", f.Cause).Str("title", visible(f.Title)).Str("retry", f.Retry.Advice)
	if len(f.Fix) > 0 {
		e.Str("fix", visible(f.Fix[0]))
	}
	if len(f.Changed) > 0 {
		e.Str("changed", visible(f.Changed[0]))
	}
}
