package proxy_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// rig is a running proxy with one route, and all that it has recorded.
type rig struct {
	t      *testing.T
	server *proxy.Server
	addr   string
	stop   func()

	mu      sync.Mutex
	history map[string][]session.Record
	ended   chan string
}

// The ways to carry a session, as names of subtests.
const (
	byReactor    = "reactor"
	byGoroutines = "goroutines"
)

// carried runs a test for both ways to carry a session. On systems without
// reactors both are the same.
func carried(t *testing.T, test func(*testing.T)) {
	t.Run(byReactor, test)
	t.Run(byGoroutines, test)
}

// start runs a proxy in front of an upstream. change may adjust the settings.
func start(t *testing.T, upstreamAddr string, change func(*proxy.Options, *upstream.Options)) *rig {
	t.Helper()
	target, err := upstream.ParseTarget(upstreamAddr, upstream.ModeNone)
	if err != nil {
		t.Fatal(err)
	}
	reach := upstream.Options{}
	o := proxy.Options{
		Routes:   []proxy.Route{{Name: "default", Listen: []string{"127.0.0.1:0"}, Target: target}},
		Recorder: proxy.NewRecorder(),
		Log:      zerolog.Nop(),
	}
	if change != nil {
		change(&o, &reach)
	}
	if o.Routes[0].Connector, err = upstream.New(reach); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(t.Name(), byGoroutines) {
		proxy.WithoutReactors(&o)
	}
	r := &rig{t: t, history: map[string][]session.Record{}, ended: make(chan string, 1000)}
	if r.server, err = proxy.New(o); err != nil {
		t.Fatal(err)
	}
	if err := r.server.Listen(); err != nil {
		t.Fatal(err)
	}
	r.addr = r.server.Addrs()[0].String()
	r.run(o.Recorder)
	return r
}

// run serves until the test ends.
func (r *rig) run(rec *proxy.Recorder) {
	var wg sync.WaitGroup
	wg.Go(func() { _ = r.server.Serve(context.Background()) })
	wg.Go(func() { r.keep(rec) })
	r.stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = r.server.Shutdown(ctx)
		rec.Close()
		wg.Wait()
	})
	r.t.Cleanup(r.stop)
}

// keep collects what the recorder has, as a store would.
func (r *rig) keep(rec *proxy.Recorder) {
	for {
		batch, err := rec.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return
		}
		r.mu.Lock()
		for _, record := range batch {
			if record.Body != nil {
				record.Body = append([]byte(nil), record.Body...)
			}
			id := record.Session.ID
			r.history[id] = append(r.history[id], record)
			if record.Closed {
				r.ended <- id
			}
		}
		r.mu.Unlock()
	}
}

// wait returns the history of the next session that ends.
func (r *rig) wait() []session.Record {
	r.t.Helper()
	select {
	case id := <-r.ended:
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.history[id]
	case <-time.After(20 * time.Second):
		r.t.Fatal("no session has ended")
	}
	return nil
}

// find returns the first entry that satisfies f.
func find(history []session.Record, f func(*session.Entry) bool) *session.Entry {
	for _, rec := range history {
		if rec.Entry != nil && f(rec.Entry) {
			return rec.Entry
		}
	}
	return nil
}

// odd returns the first entry with an oddity.
func odd(history []session.Record, o session.Oddity) *session.Entry {
	return find(history, func(e *session.Entry) bool { return e.Odd == o })
}

// transcript writes a history down for failure messages.
func transcript(history []session.Record) string {
	var b strings.Builder
	for _, rec := range history {
		if e := rec.Entry; e != nil {
			b.WriteString(strings.Join([]string{e.Leg.String(), e.From.String(), string(e.Kind), e.Text}, " ") + "\n")
		}
	}
	return b.String()
}

// tape starts a scripted upstream.
func tape(t *testing.T, script string, opts testenv.TapeOptions) *testenv.Tape {
	t.Helper()
	up, err := testenv.NewTape(script, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { up.Close() })
	return up
}

// app is a hand-driven app.
type app struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func dial(t *testing.T, addr string) *app {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return &app{t: t, conn: conn, in: bufio.NewReader(conn)}
}

func (a *app) say(text string) {
	a.t.Helper()
	if _, err := io.WriteString(a.conn, text); err != nil {
		a.t.Fatalf("say %q: %v", text, err)
	}
}

// hear demands exactly these bytes.
func (a *app) hear(want string) {
	a.t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(a.in, got)
	if err != nil || string(got) != want {
		a.t.Fatalf("the app got %q, %v; want %q", got[:n], err, want)
	}
}

// hearLine returns the next line, which must begin with what is given.
func (a *app) hearLine(prefix string) string {
	a.t.Helper()
	line, err := a.in.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, prefix) {
		a.t.Fatalf("the app got %q, %v; want a line that begins with %q", line, err, prefix)
	}
	return line
}

// hearEnd demands that the proxy ends the connection in order, and leaves.
func (a *app) hearEnd() {
	a.t.Helper()
	rest, err := io.ReadAll(a.in)
	if err != nil || len(rest) > 0 {
		a.t.Fatalf("the app got %q, %v; want a clean end", rest, err)
	}
	a.conn.Close()
}
