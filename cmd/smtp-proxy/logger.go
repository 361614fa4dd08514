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
// What it returns is never nil.
func (p *program) logger(c policy.Config) (zerolog.Logger, *logLines, error) {
	level, err := zerolog.ParseLevel(c.LogLevel)
	if err != nil {
		return zerolog.Nop(), &logLines{out: io.Discard}, usagef("--log-level %q is not known: choose trace, debug, info, warn or error", c.LogLevel)
	}
	lines := &logLines{out: p.stderr}
	if c.LogFile != "" {
		f, err := os.OpenFile(c.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return zerolog.Nop(), lines, fmt.Errorf("--log-file: %w: name a file that can be written", err)
		}
		lines.out, lines.file = f, f
	} else if s := p.screen(p.stderr); s.live {
		lines.out, lines.people = zerolog.ConsoleWriter{Out: p.stderr, TimeFormat: time.TimeOnly, NoColor: !s.color}, true
	}
	return zerolog.New(lines).Level(level).Hook(stamp(p.now)), lines, nil
}

// stamp writes the time of each log line to the millisecond. zerolog's own
// time format is a variable of its package, which is not ours to set.
type stamp func() time.Time

// Run implements [zerolog.Hook].
func (now stamp) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	e.Str(zerolog.TimestampFieldName, now().Format("2006-01-02T15:04:05.000Z07:00"))
}
