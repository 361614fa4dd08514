package web_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
	"smtp-proxy/inspect/web"
	"smtp-proxy/proxy/session"
)

// event is one server-sent event.
type event struct{ name, id, data string }

// reader reads a stream of events.
type reader struct {
	in    *bufio.Scanner
	body  io.Closer
	id    string // the last one, as a browser keeps it
	leave func()
}

// listen opens a stream; last is the id of the last event that is known.
func listen(t *testing.T, url, last string) *reader {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if kind := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || kind != "text/event-stream" {
		t.Fatalf("%s: got %d %s, want a stream", url, resp.StatusCode, kind)
	}
	in := bufio.NewScanner(resp.Body)
	in.Buffer(nil, 16<<20)
	return &reader{in: in, body: resp.Body, id: last, leave: func() { cancel(); resp.Body.Close() }}
}

// next waits for an event; signs of life are none. Without a name it is the
// end of the stream.
func (r *reader) next() (e event) {
	for r.in.Scan() {
		name, value, _ := strings.Cut(r.in.Text(), ": ")
		switch name {
		case "id":
			r.id, e.id = value, value
		case "event":
			e.name = value
		case "data":
			e.data += value
		}
		if r.in.Text() == "" && e.data != "" {
			return e
		}
		if r.in.Text() == "" {
			e = event{}
		}
	}
	return event{}
}

func TestAPIEvents(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	list := kinds()
	bring(t, dir, list[0])
	srv := served(t, engaged(t, opened(t, dir)))
	all, some, before := listen(t, srv.URL+v1+"/events", ""), listen(t, srv.URL+v1+"/events?q=outcome:failed", ""), listen(t, srv.URL+v1+"/events?after=0", "")
	bring(t, dir, list[1:]...)
	for i, v := range list[1:] {
		if got := all.next(); got.name != "session" || object(t, got.data)["id"] != v.ID || !strings.HasSuffix(got.id, "."+v.ID) {
			t.Errorf("event %d: got %+v, want session %s", i+1, got, v.ID)
		}
	}
	if got := some.next(); object(t, got.data)["id"] != idOf(1) {
		t.Errorf("with a filter: got %+v, want session %s", got, idOf(1))
	}
	code, h, _ := ask(t, "HEAD", srv.URL+v1+"/events", nil)
	if code != 200 || h.Get("Content-Type") != "text/event-stream" {
		t.Errorf("HEAD: got %d %s, want a stream's header and its end", code, h.Get("Content-Type"))
	}
	if got := before.next(); object(t, got.data)["id"] != idOf(0) {
		t.Errorf("after 0: got %+v, want session %s of before", got, idOf(0))
	}
}

// chatter is a source of sessions: batches of some, of which each may end in
// the one behind.
type chatter chan []session.Record

func (c chatter) Next(ctx context.Context) ([]session.Record, error) {
	select {
	case batch, ok := <-c:
		if !ok {
			return nil, io.EOF
		}
		return batch, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// talk hands batches over until all sessions have ended.
func (c chatter) talk(batches, each int) {
	defer close(c)
	for i := range batches {
		var list []session.Record
		for j := range each {
			info := &session.Info{ID: idOf(i*each + j), Started: noon.Add(time.Duration(i) * time.Second), Route: "default", Upstream: "smtp.example.com:587"}
			list = append(list, session.Record{Session: info, Entry: &session.Entry{Seq: 1, At: noon, Kind: session.KindCommand, Verb: "NOOP", Text: "NOOP"}})
			if j != 0 {
				list = append(list, session.Record{Session: info, Closed: true, At: noon.Add(time.Minute)})
			}
		}
		c <- list
	}
}

// TestAPIEventsResume leaves a stream again and again while sessions are
// recorded, and wants the very events of a stream that was never left.
func TestAPIEventsResume(t *testing.T) {
	s, err := store.Open(t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	srv := served(t, engaged(t, s))
	source, keeper := make(chatter), store.NewKeeper(s, store.KeeperOptions{})
	const batches, each = 40, 7
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Go(func() { _ = keeper.Run(context.Background(), source) })
	writing.Go(func() { source.talk(batches, each) })

	var got []string
	ended, last := 0, "0"
	for visits := 0; ended < batches*each; visits++ {
		r := listen(t, srv.URL+v1+"/events", last)
		for range 1 + visits%5 {
			e := r.next()
			if e.name != "session" {
				t.Fatalf("visit %d: got %+v behind %d events, want a session", visits, e, len(got))
			}
			if object(t, e.data)["ended"] != nil {
				ended++
			}
			if got = append(got, e.id); ended == batches*each {
				break
			}
		}
		last = r.id
		r.leave()
	}
	whole := listen(t, srv.URL+v1+"/events?after=0", "")
	for i, id := range got {
		if want := whole.next().id; id != want {
			t.Fatalf("event %d: got %s, want %s", i, id, want)
		}
	}
	if distinct := slices.Compact(slices.Sorted(slices.Values(got))); len(distinct) != len(got) {
		t.Errorf("got %d events of %d ids, want none twice", len(got), len(distinct))
	}
}

// A reader who takes nothing for a while is behind, and has missed nothing.
func TestAPIEventsSlowReader(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	bring(t, dir)
	srv := served(t, engaged(t, opened(t, dir)))
	r := listen(t, srv.URL+v1+"/events", "")
	var list []*inspect.Session
	for i := range 300 {
		v := hostile()
		v.ID, v.Edits = idOf(i), []string{strings.Repeat("x", 8<<10)} // more than a connection holds
		list = append(list, v)
	}
	bring(t, dir, list...)
	for i, v := range list {
		if got := r.next(); object(t, got.data)["id"] != v.ID {
			t.Fatalf("event %d: got %s, want session %s", i, got.id, v.ID)
		}
	}
}

// The time that the server allows for a request and its answer is none of a
// stream's.
func TestAPIEventsOutliveTimeouts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	bring(t, dir)
	site, err := web.New(engaged(t, opened(t, dir)))
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(site)
	srv.Config.ReadTimeout, srv.Config.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	srv.Start()
	t.Cleanup(srv.Close)
	r := listen(t, srv.URL+v1+"/events", "")
	idle, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	if _, err := idle.Read(make([]byte, 1)); err == nil {
		t.Fatal("a connection that says nothing was answered, want it closed by the time allowed")
	}
	v := kinds()[0]
	bring(t, dir, v)
	if got := r.next(); got.name != "session" || object(t, got.data)["id"] != v.ID {
		t.Errorf("behind the time allowed: got %+v, want session %s", got, v.ID)
	}
}

// silent is a reader whose connection takes what it is given.
type silent struct {
	header http.Header
	mu     sync.Mutex
	text   strings.Builder
}

func (s *silent) Header() http.Header { return s.header }
func (s *silent) WriteHeader(int)     {}

func (s *silent) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func TestAPIEventsBeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site, err := web.New(engaged(t, recordOf(t, kinds()...)))
		if err != nil {
			t.Fatal(err)
		}
		ctx, leave := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, "GET", "http://localhost"+v1+"/events", nil)
		w, done := &silent{header: http.Header{}}, make(chan struct{})
		go func() { defer close(done); site.ServeHTTP(w, r) }()
		time.Sleep(50 * time.Second)
		leave()
		<-done
		want := ": alive\nid: 7\n\n" + strings.Repeat(": alive\n\n", 3)
		if got := w.text.String(); got != want {
			t.Errorf("in 50 s: got %q, want %q", got, want)
		}
	})
}
