package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/inspect/store"
	"smtp-proxy/policy"
	"smtp-proxy/proxy"
	"smtp-proxy/testenv"
)

// plant is a proxy with everything around it, wired from the settings: what
// run keeps running, and demo with it.
type plant struct {
	*program
	config  policy.Config
	dir     string // of the record; "none"
	log     zerolog.Logger
	logFile *logLines
	endLog  zerolog.Logger // of sessions that end

	store    *store.Store // nil: nothing is kept
	keeper   *store.Keeper
	recorder *proxy.Recorder
	gates    []*gate
	sandbox  *testenv.Sandbox // nil unless a route leads there
	web      *webServer       // nil: the page is off, or its port is taken
	replays  *webReplayer     // for the page; nil without it
	metrics  *metrics         // nil without the page
	rules    *rules.Set
	engine   *diagnose.Engine
	users    map[string][]byte // who may see the page
	appTLS   *tls.Config
	keys     *keyLog // nil: no TLS keys are written
	// onReplies adds the cause to failing replies; nil without --annotate.
	onReplies proxy.Annotator

	ended func(*inspect.Session) // besides the log; may be nil

	inquiry *inquiry // nil with --probe off
	askers  askers
	notices notices

	mu       sync.Mutex
	troubles []string        // what could not be had at the start
	servers  []*proxy.Server // those of gates that are open
}

// newPlant opens what c asks for, the ports last. Close undoes it.
func (p *program) newPlant(c policy.Config, ended func(*inspect.Session)) (*plant, error) {
	x := &plant{program: p, config: c.Filled(), recorder: proxy.NewRecorder(), ended: ended}
	var err error
	if x.log, x.logFile, err = p.logger(x.config); err != nil {
		return nil, err
	}
	x.endLog = x.log
	if ended == nil { // otherwise that is shown in between
		x.endLog = x.logFile.holding(x.log)
	}
	if x.dir, err = p.dataDir(); err != nil {
		return nil, errors.Join(err, x.logFile.Close())
	}
	for _, step := range []func() error{x.checkUsers, x.openKeyLog, x.openRecord, x.openAppTLS, x.openGates, x.openWeb} {
		if err := step(); err != nil {
			return nil, errors.Join(err, x.close())
		}
	}
	return x, nil
}

// checkUsers reads the file that will protect the page, so that a mistake in
// it shows now.
func (x *plant) checkUsers() error {
	if x.config.HTTPAuth == "" {
		return nil
	}
	var err error
	x.users, err = readUsers(x.config.HTTPAuth)
	return usage(err)
}

// openRecord opens the store and its keeper. Without a store mail is relayed
// all the same: that is the main duty.
func (x *plant) openRecord() error {
	if x.dir != "none" {
		x.openStore()
	}
	o := store.KeeperOptions{
		Ended:    x.sessionEnded,
		Reported: x.logFile.release,
		Log:      x.log,
		Capture:  x.config.Capture,
		Routes:   x.captures(),
		Keep:     x.config.Keep,
		KeepSize: x.config.KeepSize,
	}
	if err := x.explain(&o); err != nil {
		return err
	}
	if x.config.Serves() {
		x.metrics = newMetrics(x.rules, x.config)
	}
	x.keeper = store.NewKeeper(x.store, o)
	return nil
}

func (x *plant) openStore() {
	s, err := store.Open(x.dir, store.Options{Now: x.now})
	if err != nil {
		x.trouble("the record cannot be opened: " + err.Error())
		x.log.Warn().Err(err).Msg("the record cannot be opened: relaying goes on without it; correct the directory, or name another with --data")
		return
	}
	for _, w := range s.Warnings() {
		x.log.Warn().Msg(w)
	}
	x.store = s
}

// captures returns what each route keeps of messages.
func (x *plant) captures() map[string]string {
	byRoute := map[string]string{}
	for _, r := range x.config.All() {
		byRoute[r.Name] = r.Capture
	}
	return byRoute
}

func (x *plant) sessionEnded(s *inspect.Session) {
	logSession(x.endLog, s)
	x.metrics.ended(s)
	x.notices.tell(x.log, s)
	if x.ended != nil {
		x.ended(s)
	}
	x.inquiry.offer(s)
}

func (x *plant) trouble(text string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.troubles = append(x.troubles, text)
}

// notReady says what does not work.
func (x *plant) notReady() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := append([]string{}, x.troubles...)
	if err := x.keeper.Healthy(); err != nil {
		all = append(all, "the record cannot be written: "+err.Error())
	}
	return all
}

// drainTime is what diagnosis and the last writes may take at the end.
const drainTime = 10 * time.Second

// run relays until ctx ends, then lets sessions finish within the grace period
// and the record be completed.
func (x *plant) run(ctx context.Context) error {
	var serving, keeping sync.WaitGroup
	keepCtx, stopKeeping := context.WithCancel(context.WithoutCancel(ctx))
	defer stopKeeping()
	var kept error
	keeping.Go(func() { kept = x.keeper.Run(keepCtx, x.recorder) })
	x.inquiry.start(ctx)
	for _, g := range x.gates {
		serving.Go(func() { g.serve(ctx) })
	}
	<-ctx.Done()
	x.shutdown(ctx)
	serving.Wait()
	x.recorder.Close()
	timeUp := time.AfterFunc(drainTime, stopKeeping)
	defer timeUp.Stop()
	keeping.Wait()
	x.inquiry.finish()
	if kept != nil && !errors.Is(kept, io.EOF) {
		x.log.Warn().Err(kept).Msg("the end of the record is incomplete")
	}
	return nil
}

// shutdown ends all sessions.
func (x *plant) shutdown(ctx context.Context) {
	graceful, cancel := context.WithTimeout(context.WithoutCancel(ctx), x.config.Grace)
	defer cancel()
	var ending sync.WaitGroup
	for _, g := range x.gates {
		ending.Go(func() {
			if err := g.server.Shutdown(graceful); err != nil {
				x.log.Warn().Msg("sessions were cut off: the grace period is over")
			}
		})
	}
	ending.Wait()
}

// close gives back what newPlant opened.
func (x *plant) close() error {
	var errs []error
	for _, g := range x.gates {
		errs = append(errs, g.close())
	}
	if x.web != nil {
		errs = append(errs, x.web.close())
	}
	x.replays.close()
	if x.sandbox != nil {
		errs = append(errs, x.sandbox.Close())
	}
	if x.store != nil {
		errs = append(errs, x.store.Close())
	}
	return errors.Join(append(errs, x.keys.close(), x.logFile.Close())...)
}

// hints returns what the owner needs to know now that all is open.
func (x *plant) hints() hints {
	h := hints{data: x.data, keeps: x.store != nil, redirects: x.config.Redirects, user: os.Geteuid()}
	if x.web != nil {
		h.web = x.web.addr()
	}
	for _, g := range x.gates {
		for _, r := range g.settings {
			h.routes = append(h.routes, hint{route: r, addrs: g.server.RouteAddrs(r.Name)})
		}
	}
	return h
}

// announce logs what listens where, for those who read the log only: on a
// terminal the hints say the same.
func (x *plant) announce() {
	if x.config.LogFile == "" && x.screen(x.stderr).live {
		return
	}
	for _, r := range x.hints().routes {
		for _, a := range r.addrs {
			x.log.Info().Str("route", r.route.Name).Stringer("listen", a).Str("upstream", upstreamOf(r.route)).
				Str("app_tls", appTLSText(r.route)).Msg("listening")
		}
	}
}
