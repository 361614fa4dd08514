package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"smtp-proxy/inspect/web"
)

// served starts a site.
func served(t *testing.T, o web.Options) *httptest.Server {
	t.Helper()
	s, err := web.New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return srv
}

// ask sends a request that change may have changed.
func ask(t *testing.T, method, url string, change func(*http.Request)) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

func TestHealth(t *testing.T) {
	var troubles []string
	srv := served(t, web.Options{Troubles: func() []string { return troubles }})
	for _, path := range []string{"/livez", "/readyz"} {
		// Orchestrators ask by the address of a pod.
		code, _, body := ask(t, "GET", srv.URL+path, func(r *http.Request) { r.Host = "10.0.0.7:8025" })
		if code != 200 || body != "ok\n" {
			t.Errorf("%s = %d %q, want 200 ok", path, code, body)
		}
	}
	troubles = []string{"the record cannot be written: disk full"}
	if code, _, body := ask(t, "GET", srv.URL+"/readyz", nil); code != 503 || body != troubles[0]+"\n" {
		t.Errorf("/readyz in trouble = %d %q, want 503 and the trouble", code, body)
	}
	if code, _, _ := ask(t, "GET", srv.URL+"/livez", nil); code != 200 {
		t.Errorf("/livez in trouble = %d, want 200: relaying goes on", code)
	}
}

func TestGuardNames(t *testing.T) {
	srv := served(t, web.Options{Listen: "127.0.0.1:8025"})
	for host, want := range map[string]int{
		"127.0.0.1:8025": 200, "localhost:8025": 200, "LOCALHOST": 200, "[::1]:8025": 200,
		"evil.example": 421, "evil.example:8025": 421, "127.0.0.1.evil.example": 421, "10.0.0.7:8025": 421, "localhost.evil.example": 421,
	} {
		if code, _, body := ask(t, "GET", srv.URL+"/", func(r *http.Request) { r.Host = host }); code != want {
			t.Errorf("asked as %s: got %d, want %d\n%s", host, code, want, body)
		}
	}
}

func TestGuardOrigin(t *testing.T) {
	srv := served(t, web.Options{})
	for header, want := range map[string]int{
		"Origin: http://evil.example": 403, "Sec-Fetch-Site: cross-site": 403, "Sec-Fetch-Site: same-site": 403, "Origin: null": 403,
	} {
		name, value, _ := strings.Cut(header, ": ")
		if code, _, _ := ask(t, "POST", srv.URL+"/explain", func(r *http.Request) { r.Header.Set(name, value) }); code != want {
			t.Errorf("POST with %s: got %d, want %d", header, code, want)
		}
	}
}

func TestGuardPassword(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("right"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	srv := served(t, web.Options{Users: map[string][]byte{"me": hash}, Listen: "0.0.0.0:8025"})
	for _, test := range []struct {
		user, password string
		want           int
	}{{"", "", 401}, {"me", "wrong", 401}, {"you", "right", 401}, {"me", "right", 200}, {"me", "right", 200}, {"me", "", 401}} {
		for _, path := range []string{"/", "/static/x"} {
			code, h, _ := ask(t, "GET", srv.URL+path, func(r *http.Request) {
				r.Host = "proxy.example:8025"
				if test.user != "" {
					r.SetBasicAuth(test.user, test.password)
				}
			})
			if want := test.want; code != want && (want == 401 || path == "/") {
				t.Errorf("%s as %s/%s: got %d, want %d", path, test.user, test.password, code, want)
			}
			if code == 401 && h.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: a 401 without WWW-Authenticate", path)
			}
		}
	}
}

func TestRestrictions(t *testing.T) {
	srv := served(t, web.Options{})
	for _, path := range []string{"/", "/nowhere", "/sessions/none", "/livez"} {
		_, h, _ := ask(t, "GET", srv.URL+path, nil)
		policy := h.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: Content-Security-Policy is %q, want one that allows nothing by default", path, policy)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: got headers %v, want nosniff and DENY", path, h)
		}
	}
}
