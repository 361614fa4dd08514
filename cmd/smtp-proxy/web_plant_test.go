package main

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// awaitSessions returns when the log has a line for each of n sessions.
func (r *running) awaitSessions(t *testing.T, n int) {
	t.Helper()
	timeUp := time.After(patience)
	for strings.Count(r.said.String(), `"message":"session"`) < n {
		select {
		case <-r.said.grew:
		case <-timeUp:
			t.Fatalf("waited for %d sessions, got\n%s", n, r.said)
		}
	}
}

// get asks the page for something.
func (r *running) get(t *testing.T, path string) (code int, h http.Header, body string) {
	t.Helper()
	resp, err := http.Get("http://" + r.web.addr() + path)
	return answerOf(t, path, resp, err)
}

// post sends a form of the page.
func (r *running) post(t *testing.T, path string, form url.Values) (code int, h http.Header, body string) {
	t.Helper()
	resp, err := http.PostForm("http://"+r.web.addr()+path, form)
	return answerOf(t, path, resp, err)
}

func answerOf(t *testing.T, path string, resp *http.Response, err error) (int, http.Header, string) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return resp.StatusCode, resp.Header, string(body)
}
