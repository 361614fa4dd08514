package web_test

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"smtp-proxy/inspect/web"
)

// strangers are those whom the guard keeps out, each for another reason.
func strangers() map[string]func(*http.Request) {
	return map[string]func(*http.Request){
		"by another name":     func(r *http.Request) { r.Host = "evil.example"; r.SetBasicAuth("me", "right") },
		"without a password":  func(*http.Request) {},
		"with a wrong one":    func(r *http.Request) { r.SetBasicAuth("me", "wrong") },
		"for another site":    func(r *http.Request) { crossSite(r, "no-cors", "image") },
		"for a site's script": func(r *http.Request) { crossSite(r, "cors", "empty") },
		"for another's frame": func(r *http.Request) { crossSite(r, "navigate", "iframe") },
	}
}

func crossSite(r *http.Request, mode, dest string) {
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Sec-Fetch-Mode", mode)
	r.Header.Set("Sec-Fetch-Dest", dest)
}

func withPassword(t testing.TB, password string) map[string][]byte {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"me": hash}
}

// TestStrangers has whoever is kept out learn nothing: neither where the
// record is, nor what does not work, nor which version this is.
func TestStrangers(t *testing.T) {
	const trouble = "open /home/me/data/record.db: disk full"
	record := recordOf(t, kinds()...)
	for _, users := range []map[string][]byte{nil, withPassword(t, "right")} {
		o := engaged(t, record)
		o.Users, o.Troubles, o.Version, o.Listen = users, func() []string { return []string{trouble} }, "v9.8.7", "127.0.0.1:8025"
		srv := served(t, o)
		for who, change := range strangers() {
			if needsPassword := strings.Contains(who, "password") || strings.Contains(who, "wrong"); needsPassword != (users != nil) {
				continue
			}
			for _, at := range []string{"GET /", "GET /sessions/latest", "GET /api/v1/sessions", "GET /live", "GET /metrics", "GET /readyz", "POST /livez", "GET /nowhere", "POST /check"} {
				method, path, _ := strings.Cut(at, " ")
				code, _, body := ask(t, method, srv.URL+path, change)
				if code < 400 {
					t.Errorf("%s %s: got %d, want it refused", at, who, code)
				}
				for _, told := range []string{trouble, "record.db", record.Path(), "v9.8.7", "example.net"} {
					if strings.Contains(body, told) {
						t.Errorf("%s %s: got %d with %q in it, want nothing told\n%s", at, who, code, told, body)
					}
				}
			}
		}
		if code, _, body := ask(t, "GET", srv.URL+"/readyz", func(r *http.Request) { r.SetBasicAuth("me", "right") }); code != 503 || body != trouble+"\n" {
			t.Errorf("/readyz for the owner: got %d %q, want 503 and the trouble", code, body)
		}
	}
}

// TestGuardFetches lets other sites lead here by a link, and has them make no
// browser do anything else, not even what changes nothing.
func TestGuardFetches(t *testing.T) {
	srv := served(t, web.Options{})
	for _, test := range []struct {
		site, mode, dest string
		want             int
	}{
		{"cross-site", "navigate", "document", 200}, {"none", "navigate", "document", 200}, {"same-origin", "cors", "empty", 200}, {"", "", "", 200},
		{"cross-site", "no-cors", "script", 403}, {"same-site", "cors", "empty", 403}, {"cross-site", "navigate", "iframe", 403},
		{"cross-site", "navigate", "object", 403}, {"cross-site", "websocket", "websocket", 403}, {"cross-site", "", "", 403},
	} {
		code, _, _ := ask(t, "GET", srv.URL+"/causes", func(r *http.Request) {
			for name, value := range map[string]string{"Sec-Fetch-Site": test.site, "Sec-Fetch-Mode": test.mode, "Sec-Fetch-Dest": test.dest} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
		})
		if ok := code < 400 || code == 404; ok != (test.want == 200) || !ok && code != test.want {
			t.Errorf("%+v: got %d", test, code)
		}
	}
}
