package main

import (
	"io"
	"net/http"
	"testing"
)

func TestHealth(t *testing.T) {
	var troubles []string
	h, err := newHealth("127.0.0.1:0", func() []string { return troubles })
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path string) (int, string) {
		t.Helper()
		resp, err := http.Get("http://" + h.addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	for _, path := range []string{"/livez", "/readyz"} {
		if code, body := ask(path); code != 200 || body != "ok\n" {
			t.Errorf("%s = %d %q, want 200 ok", path, code, body)
		}
	}
	troubles = []string{"the record cannot be written: disk full"}
	if code, body := ask("/readyz"); code != 503 || body != troubles[0]+"\n" {
		t.Errorf("/readyz in trouble = %d %q, want 503 and the trouble", code, body)
	}
	if code, _ := ask("/livez"); code != 200 {
		t.Errorf("/livez in trouble = %d, want 200: relaying goes on", code)
	}
	if err := h.close(); err != nil {
		t.Errorf("close() = %v", err)
	}
	if _, err := newHealth("127.0.0.1:99999", nil); err == nil {
		t.Error("newHealth on an impossible port = nil, want an error")
	}
}
