package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/policy"
)

// logger opens the log: lines for people on a terminal, JSON lines elsewhere.
// The closer is never nil.
func (p *program) logger(c policy.Config) (zerolog.Logger, io.Closer, error) {
	level, err := zerolog.ParseLevel(c.LogLevel)
	if err != nil {
		return zerolog.Nop(), io.NopCloser(nil), usagef("--log-level %q is not known: choose trace, debug, info, warn or error", c.LogLevel)
	}
	out, closer := io.Writer(p.stderr), io.NopCloser(nil)
	if c.LogFile != "" {
		f, err := os.OpenFile(c.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return zerolog.Nop(), closer, fmt.Errorf("--log-file: %w: name a file that can be written", err)
		}
		out, closer = f, f
	} else if s := p.screen(p.stderr); s.live {
		out = zerolog.ConsoleWriter{Out: p.stderr, TimeFormat: time.TimeOnly, NoColor: !s.color}
	}
	log := zerolog.New(zerolog.SyncWriter(out)).Level(level).Hook(stamp(p.now))
	return log, closer, nil
}

// stamp writes the time of each log line to the millisecond. zerolog's own
// time format is a variable of its package, which is not ours to set.
type stamp func() time.Time

// Run implements [zerolog.Hook].
func (now stamp) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	e.Str(zerolog.TimestampFieldName, now().Format("2006-01-02T15:04:05.000Z07:00"))
}
