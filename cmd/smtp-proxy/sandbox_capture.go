package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"

	"github.com/rs/zerolog"
	"github.com/spf13/pflag"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
	"smtp-proxy/upstream/replay"
)

// learning is what the flags of sandbox ask of a smarthost made of recordings.
type learning struct {
	filter string
	limit  int
	fast   bool
}

// mostLearned is how many sessions a smarthost is made of, unless --limit says
// otherwise.
const mostLearned = 200

func captureFlags(f *pflag.FlagSet, c *learning) {
	f.StringVar(&c.filter, "from-capture", "", "answer as the recorded sessions show that this `filter` selects, or those of a capture file")
	f.IntVar(&c.limit, "limit", mostLearned, "with --from-capture: how many sessions to learn from, the newest first")
	f.BoolVar(&c.fast, "fast", false, "with --from-capture: answer at once, not in the recorded time")
}

// check refuses what a recorded smarthost decides itself.
func (c *learning) check(o practice) error {
	switch {
	case c.limit < 1:
		return usagef("--limit %d: it takes at least one session to learn from", c.limit)
	case o.cause != "" || o.persona != "" || o.user != "" || o.requireAuth || o.requireTLS:
		return usagef("--from-capture answers as was recorded: leave --cause, --persona, --user, --require-auth and --require-tls out")
	}
	return nil
}

// practiseCaptured runs a smarthost that is made of recordings, until ctx ends.
func (p *program) practiseCaptured(ctx context.Context, o practice) error {
	if err := errors.Join(o.captured.check(o), checkHere(o.listen)); err != nil {
		return err
	}
	sessions, others, err := p.learnable(ctx, o.captured)
	if err != nil {
		return err
	}
	v, err := p.newRehearsal(sessions)
	if err != nil {
		return err
	}
	log, logFile, err := p.logger(o.log)
	if err != nil {
		return err
	}
	defer logFile.Close()
	if v.options.Keep, err = keepIn(o.mailbox, log); err != nil {
		return err
	}
	v.options.Fast, v.options.Unread = o.captured.fast, o.mailbox == ""
	v.name = "A smarthost of " + counted(len(sessions), "recorded session", "recorded sessions")
	if others > 0 {
		fmt.Fprintf(p.stderr, "smtp-proxy: warning: %s of other smarthosts also matched and are left out; add upstream:NAME to the filter to choose\n",
			counted(others, "session", "sessions"))
	}
	return v.run(ctx, o.listen)
}

// learnable returns the newest sessions that match, with their histories: those
// of the smarthost that the newest of them went to. others is how many went
// elsewhere.
func (p *program) learnable(ctx context.Context, c learning) (all []*inspect.Session, others int, err error) {
	if name, ok := captureNamed(c.filter); ok && isFile(name.path) {
		all, others, err = p.learnFromFile(ctx, name.path, c.limit)
	} else {
		all, others, err = p.learnFromRecord(ctx, c)
	}
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("no recorded session matches %q: smtp-proxy sessions %s lists what does; name another record with --data DIR", c.filter, c.filter)
	}
	return all, others, err
}

// learnFromRecord reads the list first: histories are long, and of most
// sessions not wanted.
func (p *program) learnFromRecord(ctx context.Context, c learning) (all []*inspect.Session, others int, err error) {
	f, err := p.filter([]string{c.filter})
	if err != nil {
		return nil, 0, err
	}
	s, err := p.readRecord()
	if err != nil {
		return nil, 0, err
	}
	defer s.Close()
	chosen, others, err := newestOf(ctx, s, f, c.limit)
	for _, id := range chosen {
		v, err := s.Session(ctx, id)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, v)
	}
	return all, others, err
}

// newestOf lists sessions with one smarthost, newest first.
func newestOf(ctx context.Context, s *store.Store, f inspect.Filter, limit int) (ids []string, others int, err error) {
	name, enough := "", errors.New("enough")
	err = s.Sessions(ctx, f, 0, func(v *inspect.Session) error {
		if name == "" {
			name = v.Upstream.Name
		}
		switch {
		case v.Upstream.Name != name:
			others++
		case len(ids) == limit:
			return enough
		default:
			ids = append(ids, v.ID)
		}
		return nil
	})
	if errors.Is(err, enough) {
		err = nil
	}
	return ids, others, err
}

// learnFromFile reads all sessions of a file, holding few more than are wanted.
func (p *program) learnFromFile(ctx context.Context, path string, limit int) (all []*inspect.Session, others int, err error) {
	in, err := p.openCaptures(ctx, path)
	if err != nil {
		return nil, 0, err
	}
	defer in.Close()
	newest := func() {
		slices.SortFunc(all, func(a, b *inspect.Session) int { return b.Started.Compare(a.Started) })
		all = all[:min(len(all), limit)]
	}
	for {
		c, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", in.name, err)
		}
		if all = append(all, c.Session); len(all) >= 2*limit {
			newest()
		}
	}
	newest()
	if len(all) == 0 {
		return nil, 0, nil
	}
	name, read := all[0].Upstream.Name, len(all)
	all = slices.DeleteFunc(all, func(v *inspect.Session) bool { return v.Upstream.Name != name })
	return all, read - len(all), nil
}

// keepIn returns what keeps messages as files in a directory, and logs each.
func keepIn(dir string, log zerolog.Logger) (func(replay.Taken) error, error) {
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("--mailbox: %w", err)
		}
	}
	var count atomic.Int64
	return func(m replay.Taken) error {
		id := fmt.Sprintf("%08X", count.Add(1))
		if dir != "" {
			if err := os.WriteFile(filepath.Join(dir, id+".eml"), m.Data, 0o600); err != nil {
				log.Error().Err(err).Msg("the message is refused")
				return err
			}
		}
		log.Info().Str("id", id).Str("from", m.From).Strs("to", m.To).Int64("octets", m.Octets).Bool("tls", m.Secure).Bool("cut", m.Cut).Msg("message")
		return nil
	}, nil
}
