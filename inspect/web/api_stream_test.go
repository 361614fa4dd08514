package web_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/web"
)

// leaver is a reader who leaves, or whose connection breaks, at a piece.
type leaver struct {
	silent
	at, pieces int
	leave      func()
	broken     error
}

func (l *leaver) Write(b []byte) (int, error) {
	if l.pieces++; l.pieces >= l.at {
		l.leave()
		if l.broken != nil {
			return 0, l.broken
		}
	}
	return l.silent.Write(b)
}

// TestAPILeaving has a reader leave streams that are not at their end: the
// work for it ends.
func TestAPILeaving(t *testing.T) {
	var list []*inspect.Session
	for i := range 200 {
		v := unreached()
		v.ID = idOf(i)
		list = append(list, v)
	}
	site, err := web.New(engaged(t, recordOf(t, list...)))
	if err != nil {
		t.Fatal(err)
	}
	for path, body := range map[string]string{"/sessions?format=ndjson": "", "/events?after=0": "", "/check": `{"target":"stalled"}`} {
		for _, broken := range []error{nil, os.ErrDeadlineExceeded} {
			ctx, leave := context.WithCancel(t.Context())
			w := &leaver{silent: silent{header: http.Header{}}, at: 3, leave: leave, broken: broken}
			r := httptest.NewRequestWithContext(ctx, "GET", "http://localhost"+v1+path, nil)
			if body != "" {
				w.at = 1
				r = httptest.NewRequestWithContext(ctx, "POST", "http://localhost"+v1+path, strings.NewReader(body))
				r.Header.Set("Content-Type", asJSON)
				r.Header.Set("Accept", "text/event-stream")
			}
			site.ServeHTTP(w, r) // returns, or the test does not
			if w.pieces > w.at+1 {
				t.Errorf("%s: got %d pieces for a reader who left at the %d. (%v)", path, w.pieces, w.at, broken)
			}
		}
	}
}

// A connection that breaks while nobody has cancelled anything ends a stream
// as well.
func TestAPIBrokenConnection(t *testing.T) {
	site, err := web.New(engaged(t, recordOf(t, kinds()...)))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/sessions?format=ndjson", "/events?after=0", "/sessions/latest", "/sessions/" + idOf(2) + "/messages/1", "/sessions/latest/export/swaks"} {
		w := &leaver{silent: silent{header: http.Header{}}, at: 1, leave: func() {}, broken: errors.New("broken pipe")}
		site.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "http://localhost"+v1+path, nil))
		if w.pieces > 3 {
			t.Errorf("%s: got %d pieces behind a broken connection", path, w.pieces)
		}
	}
}

func TestAPICheckSteps(t *testing.T) {
	srv := served(t, engaged(t, nil))
	steps := func(target string) string {
		code, h, body := ask(t, "POST", srv.URL+v1+"/check", func(r *http.Request) {
			posted(asJSON, fmt.Sprintf(`{"target":%q,"password":"hunter2hunter2"}`, target))(r)
			r.Header.Set("Accept", "text/event-stream")
		})
		if code != 200 || h.Get("Content-Type") != "text/event-stream" {
			t.Fatalf("check of %s: got %d %s %s, want a stream", target, code, h.Get("Content-Type"), body)
		}
		return body
	}
	const dns = "event: step\ndata: {\"name\":\"dns\",\"status\":\"ok\",\"text\":\"a:25\",\"ms\":1.5}\n\n"
	got := steps("a:25")
	if !strings.HasPrefix(got, dns+"event: step\n") || !strings.Contains(got, "\n\nevent: result\ndata: {\"target\":\"a:25\"") || strings.Count(got, "\n\n") != 3 {
		t.Errorf("got %q, want two steps and a result", got)
	}
	if got := steps("late"); !strings.HasSuffix(got, "event: error\ndata: {\"advice\":\"correct the request\",\"error\":\"too late to say\"}\n\n") {
		t.Errorf("an error behind a step: got %q, want it as an event", got)
	}
}

// What has begun and cannot be ended must not look whole.
func TestAPIExportBreaksOff(t *testing.T) {
	srv := served(t, engaged(t, recordOf(t, kinds()...)))
	r, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+v1+"/sessions/latest/export/swaks?message=8", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("got %d %q to its end, want the connection broken off", resp.StatusCode, text)
	}
}
