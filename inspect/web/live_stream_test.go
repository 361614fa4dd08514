package web

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
)

// heardEvent is an event as a browser reads it.
type heardEvent struct{ name, id, data string }

// reader reads a stream.
type reader struct {
	t      *testing.T
	lines  *bufio.Scanner
	cancel context.CancelFunc
	close  func() error
}

// listen opens a stream of a server.
func listen(t *testing.T, url, lastID string) *reader {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if kind := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || !strings.HasPrefix(kind, "text/event-stream") {
		t.Fatalf("%s: got %d %s, want a stream", url, resp.StatusCode, kind)
	}
	out := &reader{t, bufio.NewScanner(resp.Body), cancel, resp.Body.Close}
	out.lines.Buffer(nil, 1<<20)
	t.Cleanup(out.end)
	return out
}

func (r *reader) end() {
	r.cancel()
	_ = r.close()
}

// next reads the next event that has data.
func (r *reader) next() (e heardEvent) {
	r.t.Helper()
	for r.lines.Scan() {
		field, value, _ := strings.Cut(r.lines.Text(), ": ")
		switch field {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data += value + "\n"
		case "":
			if e.data != "" {
				return e
			}
		}
	}
	r.t.Fatalf("the stream ended: %v", r.lines.Err())
	return e
}

// until reads until an event of a kind.
func (r *reader) until(name string) heardEvent {
	r.t.Helper()
	for {
		if e := r.next(); e.name == name {
			return e
		}
	}
}

// TestLive has a session that is recorded come to the page as a row, and a page
// that comes back go on where it was.
func TestLive(t *testing.T) {
	r := newRecord(t)
	s := newSite(t, Options{Store: r.Store})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	r.add(t, inspect.Delivered, nil)
	_, page := get(t, s, "/?q=outcome%3Afailed")
	address := regexp.MustCompile(`data-live="([^"]*)"`).FindStringSubmatch(page)
	if address == nil {
		t.Fatalf("the page names no stream\n%s", page)
	}
	in := listen(t, server.URL+strings.ReplaceAll(address[1], "&amp;", "&"), "")
	r.add(t, inspect.Delivered, nil)
	bad := r.add(t, inspect.Failed, func(v *inspect.Session) { v.Messages[0].From = "<script>\r\n\r\ndata: x" })
	e := in.until("rows")
	if ids := rowsIn(e.data); len(ids) != 1 || ids[0] != bad.ID {
		t.Errorf("got rows %v, want %s", ids, bad.ID)
	}
	if strings.Contains(e.data, "<script>") || !strings.Contains(e.data, `&lt;script&gt;\r\n\r\ndata: x`) {
		t.Errorf("got %s, want the sender as text", e.data)
	}
	m := in.until("missed")
	if m.id == "" || m.data != "0\n" {
		t.Errorf("got id %q and %q missed, want the number of a block and 0", m.id, m.data)
	}
	in.end()
	next := r.add(t, inspect.Failed, nil)
	if ids := rowsIn(listen(t, server.URL+"/live?q=outcome%3Afailed&after=0", m.id).until("rows").data); len(ids) != 1 || ids[0] != next.ID {
		t.Errorf("behind block %s: got rows %v, want %s alone", m.id, ids, next.ID)
	}
}

// TestLiveRowsAreThePages has the stream and the page write the same row.
func TestLiveRowsAreThePages(t *testing.T) {
	r := newRecord(t)
	s := newSite(t, Options{Store: r.Store})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	r.add(t, inspect.Rejected, nil)
	row := strings.TrimSpace(listen(t, server.URL+"/live?after=0", "").until("rows").data)
	if _, page := get(t, s, "/"); !strings.Contains(page, row) {
		t.Errorf("the stream's row\n%s\nis not in the page\n%s", row, page)
	}
}

// TestLiveEnds has all that a stream took given back when the reader leaves,
// and when the server ends.
func TestLiveEnds(t *testing.T) {
	r := newRecord(t)
	s := newSite(t, Options{Store: r.Store})
	server := httptest.NewServer(s)
	in := listen(t, server.URL+"/live", "")
	s.hub.mu.Lock()
	w := s.hub.watch
	s.hub.mu.Unlock()
	if w == nil {
		t.Fatal("nobody looks into the record while a page listens")
	}
	in.end()
	<-w.done
	server.Close() // it waits for its answers to end
	if n := len(s.hub.listeners); n != 0 {
		t.Errorf("%d listeners are left, want none", n)
	}
}

func TestLiveRefuses(t *testing.T) {
	s := newSite(t, Options{Store: newRecord(t).Store})
	if code, _ := get(t, s, "/live?q=outcome%3Abroken"); code != 400 {
		t.Errorf("a filter with a mistake: got %d, want 400", code)
	}
	if code, _ := get(t, newSite(t, Options{}), "/live"); code != 404 {
		t.Errorf("without a record: got %d, want 404", code)
	}
}

// TestCountsFollow has the counts come behind the rows, in the frame of time
// that is theirs.
func TestCountsFollow(t *testing.T) {
	r := newRecord(t)
	s := newSite(t, Options{Store: r.Store})
	r.add(t, inspect.Delivered, nil)
	w := httptest.NewRecorder()
	out := &stream{w: w, control: http.NewResponseController(w)}
	p := &livePage{site: s, ctx: t.Context()}
	p.told(out, batch{missed: 3, last: 7})
	if out.due.IsZero() || out.wait() > countsEvery || out.wait() <= 0 {
		t.Errorf("counts come in %v, want within %v", out.wait(), countsEvery)
	}
	out.due = time.Now()
	out.settle()
	got := out.out.String()
	if !strings.Contains(got, "id: 7\nevent: missed\ndata: 3\n\n") || !strings.Contains(got, "event: counts\ndata: <ul") || !strings.Contains(got, "1 session") {
		t.Errorf("got\n%s\nwant 3 missed up to block 7, then counts of 1 session", got)
	}
	if !out.due.IsZero() {
		t.Error("counts of after the last change are to be counted again")
	}
	p.heard = time.Now() // what was counted is kept, and older now
	p.counts(out)
	if out.due.IsZero() {
		t.Error("counts of before the last change are not to be counted again")
	}
}

// TestBeat names the block to go on from when nothing is left to tell.
func TestBeat(t *testing.T) {
	w := httptest.NewRecorder()
	out := &stream{w: w, control: http.NewResponseController(w)}
	out.idle(12)
	if err := out.send(); err != nil {
		t.Fatal(err)
	}
	if got := w.Body.String(); got != ": alive\nid: 12\n\n" {
		t.Errorf("got %q, want a comment and the block", got)
	}
}

// TestLiveOutlivesTimeouts has a stream go on beyond what the server allows for
// a request.
func TestLiveOutlivesTimeouts(t *testing.T) {
	r := newRecord(t)
	server := httptest.NewUnstartedServer(newSite(t, Options{Store: r.Store}))
	const limit = 60 * time.Millisecond
	server.Config.ReadTimeout, server.Config.WriteTimeout = limit, limit
	server.Start()
	t.Cleanup(server.Close)
	in := listen(t, server.URL+"/live?after=0", "")
	for began := time.Now(); time.Since(began) < 4*limit; {
		r.add(t, inspect.Delivered, nil)
		in.until("rows")
	}
}

func TestLiveHead(t *testing.T) {
	s := newSite(t, Options{Store: newRecord(t).Store})
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("HEAD", "http://localhost/live", nil))
	if kind := w.Header().Get("Content-Type"); w.Code != 200 || kind != eventStream || w.Body.Len() > 0 {
		t.Errorf("HEAD /live = %d %s and %d octets, want the head of a stream alone", w.Code, kind, w.Body.Len())
	}
}
