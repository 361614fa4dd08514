package replay_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/replay"
)

// relay is the real proxy before a smarthost, and what it records.
type relay struct {
	addr   string
	roots  []byte // the authority of the app's leg
	server *proxy.Server
	rec    *proxy.Recorder
	ends   sync.WaitGroup

	mu      sync.Mutex
	order   []string
	entries map[string][]session.Entry
	ended   chan struct{}
}

// recordTalk lets an app say its part of a script through the relay to a
// smarthost that says the other.
func recordTalk(t *testing.T, script string) replay.Recording {
	t.Helper()
	tape, err := testenv.NewTape(script, testenv.TapeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tape.Close() })
	f := &testenv.Fault{Upstream: tape.Addr()}
	f.Relay.UpstreamTLS = "none"
	r := startRelay(t, f)
	if _, err := (testenv.App{Addr: r.addr, Script: script, Patience: patience}).Send(t.Context()); err != nil {
		t.Fatalf("recording: %v", err)
	}
	r.await(time.Second)
	return r.recordings()[0]
}

// say plays the app's part of a script.
func (s *served) say(t *testing.T, script string) error {
	t.Helper()
	_, err := testenv.App{Addr: s.addr, Script: script, Patience: patience, Config: testenv.Trust(s.roots)}.Send(t.Context())
	return err
}

// startRelay runs a relay that is set up as the fault says.
func startRelay(t *testing.T, f *testenv.Fault, changes ...func(*proxy.Options)) *relay {
	t.Helper()
	authority, err := proxy.EphemeralAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{rec: proxy.NewRecorder(), roots: authority.CertPEM(), entries: map[string][]session.Entry{}, ended: make(chan struct{}, 100)}
	o := proxy.Options{
		Routes: []proxy.Route{routeTo(t, f, authority)}, Recorder: r.rec, Log: zerolog.Nop(),
		HandshakeTimeout: time.Duration(f.Relay.HandshakeTimeout),
	}
	for _, change := range changes {
		change(&o)
	}
	r.server, err = proxy.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.server.Listen(); err != nil {
		t.Fatal(err)
	}
	r.addr = r.server.Addrs()[0].String()
	r.ends.Go(func() { _ = r.server.Serve(context.Background()) })
	r.ends.Go(r.keep)
	t.Cleanup(r.stop)
	return r
}

func routeTo(t *testing.T, f *testenv.Fault, authority *proxy.Authority) proxy.Route {
	t.Helper()
	mode, err := upstream.ParseMode(f.Relay.UpstreamTLS)
	if err != nil {
		t.Fatal(err)
	}
	target, err := upstream.ParseTarget(f.Upstream, mode)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(f.Roots)
	connector, err := upstream.New(upstream.Options{
		Resolver: f.Resolver, Roots: roots, LookupTimeout: 3 * time.Second,
		ConnectTimeout:   time.Duration(f.Relay.ConnectTimeout),
		HandshakeTimeout: time.Duration(f.Relay.HandshakeTimeout),
	})
	if err != nil {
		t.Fatal(err)
	}
	return proxy.Route{
		Name: "default", Listen: []string{"127.0.0.1:0"}, Target: target, Connector: connector,
		TLS:        &tls.Config{GetCertificate: authority.Leaf},
		AppTLS:     map[string]session.AppTLS{"offer": session.AppOffer, "require": session.AppRequire, "implicit": session.AppImplicit}[f.Relay.AppTLS],
		AppSilence: time.Duration(f.Relay.AppTimeout),
	}
}

// keep gathers the entries of each session.
func (r *relay) keep() {
	for {
		batch, err := r.rec.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return
		}
		for _, record := range batch {
			r.add(record)
		}
	}
}

func (r *relay) add(record session.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := record.Session.ID
	if _, known := r.entries[id]; !known {
		r.order, r.entries[id] = append(r.order, id), nil
	}
	if record.Entry != nil {
		r.entries[id] = append(r.entries[id], *record.Entry)
	}
	if record.Closed {
		r.ended <- struct{}{}
	}
}

func (r *relay) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_ = r.server.Shutdown(ctx)
	r.rec.Close()
	r.ends.Wait()
}

// recordings ends the relay and returns what it has seen.
func (r *relay) recordings() []replay.Recording {
	r.stop()
	var all []replay.Recording
	for _, id := range r.order {
		all = append(all, replay.Recording{ID: id, Entries: r.entries[id]})
	}
	return all
}

// recordFault lets the fault's app send through the relay.
func recordFault(t *testing.T, name string) (*testenv.Fault, []replay.Recording) {
	t.Helper()
	f, err := testenv.StartFault(name, testenv.FaultOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	r := startRelay(t, f)
	app := f.App
	app.Addr, app.Patience = r.addr, patience
	if app.Config == nil {
		app.Config = testenv.Trust(r.roots)
	}
	for range f.Sends {
		_, _ = app.Send(t.Context())
		r.await(time.Second)
	}
	return f, r.recordings()
}

// await waits for a session to end. A relay goes on without its app while the
// upstream owes it a verdict, so there is a limit.
func (r *relay) await(limit time.Duration) {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-r.ended:
	case <-t.C:
	}
}
