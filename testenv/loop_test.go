package testenv_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// loop is the real relay between an app and a fault, and what it records.
type loop struct {
	addr   string
	roots  []byte // the authority of the app's leg
	server *proxy.Server
	rec    *proxy.Recorder
	ends   sync.WaitGroup
	ended  chan struct{} // one for each session that has ended

	through bool // TLS is the app's and the smarthost's own
	prober  *probe.Prober
	hurry   bool // the probes meet the silence that the session met
	target  upstream.Target

	offer    func(*tls.Config)  // changes what the app offers, and trusts; may be nil
	sessions []*inspect.Session // in the order of their beginning; after stop
}

// startLoop runs a relay that is set up as the fault says, with changes.
func startLoop(t *testing.T, f *testenv.Fault, changes ...func(*proxy.Options)) *loop {
	t.Helper()
	authority, err := proxy.EphemeralAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	l := &loop{rec: proxy.NewRecorder(), roots: authority.CertPEM(), ended: make(chan struct{}, 100)}
	o := proxy.Options{
		Routes:   []proxy.Route{loopRoute(t, f, authority)},
		Recorder: l.rec, Log: zerolog.Nop(),
		HandshakeTimeout: time.Duration(f.Relay.HandshakeTimeout),
	}
	for _, change := range changes {
		change(&o)
	}
	l.through, l.target = o.Routes[0].Passthrough, o.Routes[0].Target
	l.hurry = f.Cause == stalls
	l.prober = probe.New(probe.Options{Connector: o.Routes[0].Connector})
	if l.server, err = proxy.New(o); err != nil {
		t.Fatal(err)
	}
	if err := l.server.Listen(); err != nil {
		t.Fatal(err)
	}
	l.addr = l.server.Addrs()[0].String()
	l.ends.Go(func() { _ = l.server.Serve(context.Background()) })
	l.ends.Go(l.keep)
	t.Cleanup(l.stop)
	return l
}

func loopRoute(t *testing.T, f *testenv.Fault, authority *proxy.Authority) proxy.Route {
	t.Helper()
	mode, err := upstream.ParseMode(f.Relay.UpstreamTLS)
	if err != nil {
		t.Fatal(err)
	}
	target, err := upstream.ParseTarget(f.Upstream, mode)
	if err != nil {
		t.Fatal(err)
	}
	if f.Name == "tls.implicit-expected" {
		// Silence is all that such a port shows, and 465 what tells it from
		// others: a port that no test may open, so the relay is told so.
		host, _, _ := net.SplitHostPort(target.Name)
		target.Name = net.JoinHostPort(host, "465")
	}
	return proxy.Route{
		Name: "default", Listen: []string{"127.0.0.1:0"}, Target: target, Connector: loopConnector(t, f),
		TLS:        &tls.Config{GetCertificate: authority.Leaf},
		AppTLS:     map[string]session.AppTLS{"offer": session.AppOffer, "require": session.AppRequire, "implicit": session.AppImplicit}[f.Relay.AppTLS],
		AppSilence: time.Duration(f.Relay.AppTimeout),
	}
}

func loopConnector(t *testing.T, f *testenv.Fault) *upstream.Connector {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(f.Roots)
	c, err := upstream.New(upstream.Options{
		Resolver: f.Resolver, Roots: roots, LookupTimeout: 3 * time.Second,
		ConnectTimeout:   time.Duration(f.Relay.ConnectTimeout),
		HandshakeTimeout: time.Duration(f.Relay.HandshakeTimeout),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// keep assembles the sessions, as the keeper of a store does.
func (l *loop) keep() {
	open := map[string]*inspect.Assembler{}
	var order []string
	for {
		batch, err := l.rec.Next(context.Background())
		if errors.Is(err, io.EOF) {
			break
		}
		for _, r := range batch {
			a := open[r.Session.ID]
			if a == nil {
				a = inspect.NewAssembler(r.Session)
				open[r.Session.ID], order = a, append(order, r.Session.ID)
			}
			switch {
			case r.Entry != nil:
				a.Add(r.Entry)
			case r.Body != nil:
				a.Body(r.Body)
			case r.Closed:
				a.Close(r.At)
				l.ended <- struct{}{}
			}
		}
	}
	for _, id := range order {
		l.sessions = append(l.sessions, open[id].Session())
	}
}

// stop ends the relay and fills in the sessions.
func (l *loop) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_ = l.server.Shutdown(ctx)
	l.rec.Close()
	l.ends.Wait()
}

// run sends what the fault's app sends and returns the sessions.
func (l *loop) run(t *testing.T, f *testenv.Fault) []*inspect.Session {
	t.Helper()
	app := f.App
	app.Addr = l.addr
	switch {
	case l.through:
		app.Config = l.endToEnd(f)
	case app.Config == nil:
		app.Config = testenv.Trust(l.roots)
	}
	if l.offer != nil {
		app.Config = app.Config.Clone()
		l.offer(app.Config)
	}
	for range f.Sends {
		_, _ = app.Send(within(t))
		l.await(2 * time.Second)
	}
	l.stop()
	return l.sessions
}

// passthrough leaves TLS to the app and the smarthost.
func passthrough(o *proxy.Options) { o.Routes[0].Passthrough = true }

// endToEnd is the TLS of an app that verifies the smarthost itself.
func (l *loop) endToEnd(f *testenv.Fault) *tls.Config {
	c := testenv.Trust(f.Roots)
	c.ServerName, _, _ = net.SplitHostPort(f.Upstream)
	return c
}

// inquire asks what would sharpen the diagnosis of a session that has ended,
// as the command run does, and adds the answers.
func (l *loop) inquire(t *testing.T, e *diagnose.Engine, s *inspect.Session) {
	t.Helper()
	limit := 20 * time.Second
	if l.hurry {
		limit = 3 * time.Second
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for _, q := range e.Questions(s) {
		answer := l.prober.Ask(ctx, l.target, probe.Question(q).About(s.Events))
		answer.Seq = len(s.Events) + 1
		s.Answer(&answer)
	}
}

// await waits for a session to end. A relay goes on without its app while the
// upstream owes it a verdict, so there is a limit.
func (l *loop) await(limit time.Duration) {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-l.ended:
	case <-t.C:
	}
}

func transcript(s *inspect.Session) string {
	var b strings.Builder
	for _, e := range s.Events {
		fmt.Fprintf(&b, "%d %s %s %s %s %s %q %s %v\n", e.Seq, e.At.Sub(s.Started).Round(time.Millisecond), e.Leg, e.From, e.Kind, e.Phase, e.Text, e.Odd, e.Fault)
	}
	return b.String()
}
