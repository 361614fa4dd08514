package diagnose_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"

	"github.com/rs/zerolog"
)

// Each fault that testenv can play, met through the real relay, is told by its
// own cause: first, with side and advice of the catalogue.
func TestFaultsAreTold(t *testing.T) {
	names, err := testenv.Faults()
	if err != nil {
		t.Fatal(err)
	}
	e := engine(t, diagnose.Options{})
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := testenv.StartFault(name, testenv.FaultOptions{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = f.Close() })
			s := meet(t, f)
			got := e.Annotate(s)
			if len(got) == 0 || got[0].Cause != f.Cause {
				t.Fatalf("got %q, want %s first\n%s", causes(got), f.Cause, transcript(s))
			}
			if len(got[0].Evidence) == 0 || got[0].Retry.Advice == "" || got[0].Side == "" {
				t.Errorf("incomplete: %+v", got[0])
			}
		})
	}
}

// meet sends what the fault's app sends through a relay and returns the last
// session, as long as it would have been.
func meet(t *testing.T, f *testenv.Fault) *inspect.Session {
	t.Helper()
	r := startRelay(t, f)
	app := f.App
	app.Addr = r.server.Addrs()[0].String()
	if app.Config == nil {
		app.Config = testenv.Trust(r.roots)
	}
	impatient := app.Patience > 5*time.Second
	if impatient {
		app.Patience = 300 * time.Millisecond
	}
	for range f.Sends {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		_, _ = app.Send(ctx)
		cancel()
		select {
		case <-r.ended:
		case <-time.After(500 * time.Millisecond): // a silent upstream is waited for longer
		}
	}
	s := r.stop()
	if impatient {
		stretch(s)
	}
	if f.Cause == "tls.implicit-expected" { // told by the port, and the fault's is a free one
		host, _, _ := net.SplitHostPort(s.Upstream.Name)
		s.Upstream.Name = net.JoinHostPort(host, "465")
	}
	return s
}

// stretch moves the app's leaving to where it would have been: a test does not
// wait for minutes.
func stretch(s *inspect.Session) {
	left := false
	for i := range s.Events {
		e := &s.Events[i]
		left = left || e.Kind == session.KindClose && e.Leg == session.App
		if left {
			e.At = e.At.Add(time.Minute)
		}
	}
}

type relay struct {
	server *proxy.Server
	rec    *proxy.Recorder
	roots  []byte
	ended  chan struct{}
	runs   sync.WaitGroup
	once   sync.Once
	last   *inspect.Session
}

func startRelay(t *testing.T, f *testenv.Fault) *relay {
	t.Helper()
	authority, err := proxy.EphemeralAuthority(time.Now())
	must(t, err)
	r := &relay{rec: proxy.NewRecorder(), roots: authority.CertPEM(), ended: make(chan struct{}, 100)}
	r.server, err = proxy.New(proxy.Options{Routes: []proxy.Route{routeTo(t, f, authority)}, Recorder: r.rec, Log: zerolog.Nop()})
	must(t, err)
	must(t, r.server.Listen())
	r.runs.Go(func() { _ = r.server.Serve(context.Background()) })
	r.runs.Go(r.keep)
	t.Cleanup(func() { r.stop() })
	return r
}

func routeTo(t *testing.T, f *testenv.Fault, authority *proxy.Authority) proxy.Route {
	t.Helper()
	mode, err := upstream.ParseMode(f.Relay.UpstreamTLS)
	must(t, err)
	target, err := upstream.ParseTarget(f.Upstream, mode)
	must(t, err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(f.Roots)
	connector, err := upstream.New(upstream.Options{
		Resolver: f.Resolver, Roots: roots, LookupTimeout: 2 * time.Second,
		ConnectTimeout: time.Duration(f.Relay.ConnectTimeout), HandshakeTimeout: time.Duration(f.Relay.HandshakeTimeout),
	})
	must(t, err)
	return proxy.Route{
		Name: "default", Listen: []string{"127.0.0.1:0"}, Target: target, Connector: connector,
		TLS:        &tls.Config{GetCertificate: authority.Leaf},
		AppTLS:     map[string]session.AppTLS{"offer": session.AppOffer, "implicit": session.AppImplicit}[f.Relay.AppTLS],
		AppSilence: time.Duration(f.Relay.AppTimeout),
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// keep assembles sessions until the recorder is drained.
func (r *relay) keep() {
	open := map[string]*inspect.Assembler{}
	var last *inspect.Assembler
	for {
		batch, err := r.rec.Next(context.Background())
		if errors.Is(err, io.EOF) {
			break
		}
		for _, record := range batch {
			a := open[record.Session.ID]
			if a == nil {
				a = inspect.NewAssembler(record.Session)
				open[record.Session.ID], last = a, a
			}
			switch {
			case record.Entry != nil:
				a.Add(record.Entry)
			case record.Body != nil:
				a.Body(record.Body)
			case record.Closed:
				a.Close(record.At)
				r.ended <- struct{}{}
			}
		}
	}
	if last != nil {
		r.last = last.Session()
	}
}

// stop ends the relay and returns the session that began last.
func (r *relay) stop() *inspect.Session {
	r.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_ = r.server.Shutdown(ctx)
		r.rec.Close()
		r.runs.Wait()
	})
	return r.last
}

func transcript(s *inspect.Session) string {
	var b strings.Builder
	for _, e := range s.Events {
		b.WriteString(e.At.Sub(s.Started).String() + " " + e.Leg.String() + " " + e.From.String() + " " + string(e.Kind) + " " + e.Text + " " + string(e.Odd) + "\n")
	}
	return b.String()
}
