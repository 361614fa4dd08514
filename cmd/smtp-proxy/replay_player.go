package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/inspect/store"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream/replay"
)

// replayer plays sessions, one or many at once.
type replayer struct {
	*program
	r       *repetition
	options replay.Options
	pace    pacer

	sandbox func() (*testenv.Sandbox, error) // started when a session wants it
	record  func() (*store.Guest, error)     // opened when a session is to be kept
	keeping sync.Mutex                       // held while one is
	close   func() error

	appTLS   *tls.Config
	trust    *x509.CertPool // of what appTLS shows
	began    func(*session.Info)
	annotate func(*inspect.Session) []inspect.Finding
}

// played is one session that was played again.
type played struct {
	recorded *inspect.Session
	target   string
	result   replay.Result
	now      *inspect.Session // what the record of it will be; nil when nothing is known
	options  replay.Options
	kept     bool
	again    string   // what names the recording
	way      string   // flags that settled where and how
	noted    []string // what whoever started it should know
}

func (p *program) newReplayer(r *repetition) (*replayer, error) {
	x := &replayer{program: p, r: r, trust: x509.NewCertPool(), pace: pacer{rate: r.many.rate}}
	credentials, err := r.credentials(p.stdin)
	if err != nil {
		return nil, usage(err)
	}
	if err := errors.Join(x.throwaway(), x.openEngine()); err != nil {
		return nil, err
	}
	x.options = replay.Options{
		To: r.what.to, Deliver: r.what.deliver, Pace: r.what.pace == paceReal, Auth: credentials,
		Timeout: r.what.timeout, TLS: &tls.Config{RootCAs: x.trust, ServerName: "localhost"},
	}
	return x, nil
}

// openEngine prepares the diagnosis. It knows what the record has of earlier
// sessions, where there is a record.
func (x *replayer) openEngine() error {
	set, err := x.r.rules, error(nil)
	if set == nil {
		set, err = rules.Load()
	}
	if err != nil {
		return err
	}
	o := diagnose.Options{Built: builtAt(), Now: x.now}
	var history *store.Store
	if dir, err := x.dataDir(); err == nil && dir != "none" {
		// A record that cannot be read is reported where it is needed.
		history, _ = store.Open(dir, store.Options{ReadOnly: true, Now: x.now})
	}
	if history != nil { // a nil *Store in the interface would not be nil
		o.History = history
	}
	engine := diagnose.New(set, o)
	x.began = func(s *session.Info) { engine.Began(s.ID, s.Upstream, s.Started) }
	x.annotate = engine.Judge
	x.openLater(history)
	return nil
}

// openLater has the embedded smarthost and the record open once, if at all.
func (x *replayer) openLater(history *store.Store) {
	var host *testenv.Sandbox
	var guest *store.Guest
	x.sandbox = sync.OnceValues(func() (_ *testenv.Sandbox, err error) {
		host, err = testenv.NewSandbox(testenv.SandboxOptions{})
		return host, err
	})
	x.record = sync.OnceValues(func() (_ *store.Guest, err error) {
		guest, err = x.guest()
		return guest, err
	})
	x.close = func() error {
		var errs []error
		if host != nil {
			errs = append(errs, host.Close())
		}
		if guest != nil {
			errs = append(errs, guest.Close())
		}
		if history != nil {
			errs = append(errs, history.Close())
		}
		return errors.Join(errs...)
	}
}

// prepared is a session that is about to be played.
type prepared struct {
	*recorded
	script replay.Script
	mirror mirror
	place  place
}

// prepare settles what is sent, and where to. Nothing has been sent when it
// fails.
func (x *replayer) prepare(found *recorded) (*prepared, error) {
	if err := playable(found.session); err != nil {
		return nil, err
	}
	script, err := recordingOf(found).Script(x.options)
	if err != nil {
		return nil, err
	}
	m := mirrorOf(found.session.Events)
	to, err := x.place(found.session, m)
	if err != nil {
		return nil, err
	}
	return &prepared{found, script, m, to}, nil
}

// play plays one session; when ctx ends it is cut off. An error says why it
// could not begin.
func (x *replayer) play(ctx context.Context, p *prepared) (*played, error) {
	t, err := x.relay(p.place, p.mirror, p.session.ID)
	if err != nil {
		return nil, err
	}
	o := x.options
	if o.Timeout == 0 {
		o.Timeout = replyTimeout(p.session.Events, o)
	}
	out := &played{recorded: p.session, target: p.place.target.Name, options: x.options, again: p.session.ID, way: x.r.way(), noted: x.notes(p.session)}
	out.result = p.script.Play(ctx, t.app, o)
	out.now = t.finish()
	if out.cutOff() {
		out.result.Steps = answered(out.result.Steps)
	}
	return out, nil
}

// replyTimeout is how long a reply may take. That to a message decides whether
// it was delivered: it is waited for as RFC 5321, section 4.5.3.2.6 has it.
func replyTimeout(entries []session.Entry, o replay.Options) time.Duration {
	longest := time.Duration(0)
	for i := range entries {
		longest = max(longest, entries[i].Wait)
	}
	if o.Deliver || len(o.To) > 0 {
		return max(longest+time.Minute, 10*time.Minute)
	}
	return longest + time.Minute
}

// playable refuses what has nothing to play.
func playable(s *inspect.Session) error {
	switch {
	case s.Passthrough:
		return errors.New("TLS was left end to end in it (--tls passthrough), so what the app said is not known; record one with --tls terminate")
	case s.Outcome == inspect.Open:
		return errors.New("it is still running; wait for its end")
	case s.Dropped > 0:
		return fmt.Errorf("the record lacks %s of it, so that it would be another session", counted(s.Dropped, "entry", "entries"))
	}
	return nil
}

// untilStopped leaves out what the end of the proxy that recorded a session did
// to it: neither the app nor the smarthost would do that again.
func untilStopped(entries []session.Entry) []session.Entry {
	stopped := func(e session.Entry) bool { return e.Odd == session.OddShutdown }
	if i := slices.IndexFunc(entries, stopped); i >= 0 {
		return entries[:i]
	}
	return entries
}

// recordingOf words a session of the record for the player.
func recordingOf(found *recorded) replay.Recording {
	s := found.session
	return replay.Recording{
		ID: s.ID, Entries: untilStopped(s.Events),
		Captured: func(n int) string {
			if n < len(s.Messages) {
				return s.Messages[n].Captured
			}
			return "none"
		},
		Body: func(ctx context.Context, n int) (io.ReadCloser, error) {
			body, err := found.body(ctx, n)
			if errors.Is(err, store.ErrNoBody) {
				err = replay.ErrNoBody
			}
			return body, err
		},
	}
}
