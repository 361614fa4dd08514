package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spf13/pflag"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy"
	"smtp-proxy/upstream/replay"
)

// serving is what the flags of replay ask of the smarthost's part.
type serving struct {
	wanted bool
	listen string
	fast   bool
	once   int
}

func servingFlags(f *pflag.FlagSet, s *serving) {
	f.BoolVar(&s.wanted, "serve", false, "play the smarthost's part to an app instead")
	f.StringVar(&s.listen, "listen", "localhost:1025", "with --serve: `host:port` of this machine where the app connects")
	f.BoolVar(&s.fast, "fast", false, "with --serve: answer at once, not in the recorded time")
	f.IntVar(&s.once, "once", 0, "with --serve: end after so many `sessions` (1 without a number), with 1 if the app differed")
	f.Lookup("once").NoOptDefVal = "1"
}

// check refuses what belongs to the app's part.
func (s *serving) check(args []string) error {
	if len(args) != 1 {
		return usagef("--serve plays one session: name its id; smtp-proxy sandbox --from-capture FILTER makes one smarthost of many")
	}
	if s.once < 0 {
		return usagef("--once %d is negative: 0 serves until Ctrl-C", s.once)
	}
	return checkHere(s.listen)
}

// checkTyped refuses flags of the one part beside those of the other: without
// --serve, --once would talk to the smarthost itself. What a file or the
// environment says of the other part is no mistake.
func (s *serving) checkTyped(typed map[string]bool) error {
	if !s.wanted {
		for _, name := range []string{"once", "fast", "listen"} {
			if typed[name] {
				return usagef("--%s belongs to --serve: give both, or leave it out", name)
			}
		}
		return nil
	}
	for _, name := range []string{"to", "deliver", "filter", "json", "pace", "upstream", "user"} {
		if typed[name] {
			return usagef("--serve and --%s: the smarthost's part or the app's, not both; leave one of them out", name)
		}
	}
	return nil
}

const servingHelp = `With --serve it plays the smarthost's part: same greeting, replies, time and TLS
as recorded, so that the app's own handling of a failure can be worked on without
the smarthost. What the app says in another way than the recording is answered
as the recording lets one expect, and reported on stderr. Messages are dropped.
It runs until Ctrl-C, or with --once for so many sessions; then it exits with 1
if the app did anything in another way.`

// serveRecording plays the smarthost of one session until ctx ends.
func (p *program) serveRecording(ctx context.Context, s *serving, args []string) error {
	if err := s.check(args); err != nil {
		return err
	}
	found, err := p.find(ctx, args[0])
	if err != nil {
		return err
	}
	defer found.close()
	v, err := p.newRehearsal([]*inspect.Session{found.session})
	if err != nil {
		return err
	}
	v.options.Fast, v.options.Sessions = s.fast, s.once
	v.name = "Session " + found.session.ID
	return v.run(ctx, s.listen)
}

// rehearsal is a recorded smarthost on its way to an app.
type rehearsal struct {
	*program
	name    string // what is played
	model   *replay.Model
	options replay.StageOptions
	trust   string // file of the authority; empty where it is kept nowhere
	newest  *inspect.Session
	told    sync.Mutex
}

// newRehearsal learns from sessions, of which the first is the newest.
func (p *program) newRehearsal(sessions []*inspect.Session) (*rehearsal, error) {
	var all []replay.Recording
	for _, s := range sessions {
		all = append(all, replay.Recording{ID: s.ID, Entries: s.Events})
	}
	v := &rehearsal{program: p, model: replay.Learn(all...), newest: sessions[0]}
	if ok, failure := v.model.Reached(); !ok {
		return nil, fmt.Errorf("no connection to %s came about (%s), so there is nothing to play: "+
			"point the app at a port where nothing listens to see the same", visible(v.newest.Upstream.Name), visible(failure))
	}
	v.options.Report = v.report
	return v, v.openAuthority()
}

// openAuthority opens the authority whose certificate stands for the
// smarthost's, where TLS was recorded.
func (v *rehearsal) openAuthority() error {
	if v.model.Handshake() == nil {
		return nil
	}
	dir, err := v.dataDir()
	if err != nil {
		return err
	}
	var a *proxy.Authority
	if dir == "none" {
		a, err = proxy.EphemeralAuthority(v.now())
	} else {
		a, err = proxy.OpenAuthority(dir, v.now())
		v.trust = filepath.Join(dir, "ca.pem")
	}
	if err != nil {
		return err
	}
	v.options.Certificate = func(h *replay.Handshake) (*tls.Certificate, error) { return a.Likeness(&h.TLS, h.At) }
	return nil
}

// run serves until ctx ends or as many sessions as were asked for have been.
func (v *rehearsal) run(ctx context.Context, addr string) error {
	stage, err := v.model.Stage(v.options)
	if err != nil {
		return err
	}
	listeners, err := listenHere(addr)
	if err != nil {
		return err
	}
	v.introduce(listeners[0].Addr())
	err = stage.Serve(ctx, listeners...)
	v.summarize(stage.Played())
	return cmp.Or(err, v.verdict(stage.Played()))
}

// verdict is what --once ends with: less than was asked for is no success.
func (v *rehearsal) verdict(p replay.Played) error {
	switch {
	case v.options.Sessions == 0:
		return nil
	case p.Deviations > 0:
		return ended(exitFailed)
	case p.Sessions < v.options.Sessions:
		return exitInterrupted
	}
	return nil
}

// introduce says what to put into the app's settings.
func (v *rehearsal) introduce(addr net.Addr) {
	port := addr.(*net.TCPAddr).Port
	tls := "none"
	switch {
	case v.model.Implicit():
		tls = "implicit (SMTPS)"
	case v.model.Handshake() != nil:
		tls = "STARTTLS"
	}
	fmt.Fprintf(v.stdout, "%s is played as %s did at %s.\n", v.name, visible(v.newest.Upstream.Name), v.newest.Started.Local().Format("2006-01-02 15:04"))
	fmt.Fprintf(v.stdout, "  host   localhost\n  port   %d\n  TLS    %s\n", port, tls)
	if v.trust != "" {
		fmt.Fprintf(v.stdout, "  trust  %s\n", v.trust)
	} else if v.model.Handshake() != nil {
		fmt.Fprintln(v.stdout, "  trust  the certificate's root is kept nowhere: name a directory with --data DIR")
	}
	if a := v.newest.Auth; a != nil {
		fmt.Fprintf(v.stdout, "  user   %s, any password\n", visible(a.Username))
	}
	for _, lack := range v.model.Lacks() {
		fmt.Fprintln(v.stdout, lack)
	}
}

// report tells of a difference as it happens.
func (v *rehearsal) report(d replay.Deviation) {
	v.told.Lock()
	defer v.told.Unlock()
	fmt.Fprintf(v.stderr, "session %d: %s\n", d.Session, visible(d.Text))
}

func (v *rehearsal) summarize(p replay.Played) {
	parts := []string{counted(p.Sessions, "session", "sessions"), counted(p.Messages, "message", "messages") + " accepted", counted(p.Deviations, "difference", "differences")}
	fmt.Fprintln(v.stderr, strings.Join(parts, ", "))
}
