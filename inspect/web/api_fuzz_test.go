package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect/web"
)

// FuzzAPI holds that whatever is asked, the answer is no fault of the site's
// own, and what it says it is: an object in JSON, lines or events of them.
func FuzzAPI(f *testing.F) {
	for _, q := range requests() {
		if len(q.body) < 1000 {
			f.Add(q.method, strings.TrimPrefix(q.url, v1), q.kind, q.accept, q.body)
		}
	}
	f.Add("GET", "/events?after=1."+idOf(0), "", "", "")
	f.Add("GET", "/sessions/\x00%00\xff/raw?q=\r\n", "", "text/*;q=1e9", "")
	f.Add("POST", "/check", "application/json; charset=", "", `{"target":"a","to":null,"steps":[null]}`)
	site, err := web.New(engaged(f, recordOf(f, kinds()...)))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, path, kind, accept, body string) {
		r := asked(t, method, path, body)
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != http.StatusServiceUnavailable {
			t.Fatalf("%s %q: got %d %s", method, path, w.Code, w.Body)
		}
		if method == "HEAD" || w.Code == http.StatusTemporaryRedirect || w.Code == http.StatusMovedPermanently {
			return // to the same address, tidied up
		}
		if err := sound(w.Header().Get("Content-Type"), w.Body.Bytes()); err != nil {
			t.Errorf("%s %q: got %d %q, which is not sound: %v", method, path, w.Code, w.Body, err)
		}
	})
}

// asked makes a request of what may be anything. It is left after a moment:
// streams have no end of their own.
func asked(t *testing.T, method, path, body string) *http.Request {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	t.Cleanup(cancel)
	u, err := url.ParseRequestURI(v1 + path)
	if err != nil {
		u = &url.URL{Path: v1 + "/" + path}
	}
	r := httptest.NewRequestWithContext(ctx, "GET", "http://localhost/", strings.NewReader(body))
	r.Method, r.URL, r.RequestURI = method, u, u.RequestURI()
	return r
}

// sound reports whether an answer is what its type says.
func sound(kind string, text []byte) error {
	kind, _, err := mime.ParseMediaType(kind)
	if err != nil {
		return err
	}
	var v any
	switch kind {
	case "application/json":
		return json.Unmarshal(text, &v)
	case "application/x-ndjson":
		for line := range bytes.Lines(text) {
			if err := json.Unmarshal(line, &v); err != nil {
				return err
			}
		}
	case "text/event-stream":
		for line := range bytes.Lines(text) {
			if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
				if err := json.Unmarshal(data, &v); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
