package web_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
	"smtp-proxy/inspect/web"
	"smtp-proxy/proxy"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// What is planted, and must be found nowhere.
const (
	account  = "planted@example.com"
	password = "Sesame-0pen-7f3a9c"
	wrong    = "Wr0ng-guess-51d2e8"
)

// disguises are the forms in which the secrets could be found.
func disguises() map[string]string {
	all := map[string]string{}
	for name, secret := range map[string]string{"the password": password, "the wrong one": wrong} {
		all[name] = secret
		all["the PLAIN answer with "+name] = base64.StdEncoding.EncodeToString([]byte("\x00" + account + "\x00" + secret))
		for shift := range 3 {
			text := base64.RawStdEncoding.EncodeToString([]byte("???"[:shift] + secret))
			all[name+" in base64, shifted by "+string('0'+rune(shift))] = text[(shift*8+5)/6 : len(text)-2]
		}
	}
	return all
}

func seek(t *testing.T, where, text string) {
	t.Helper()
	for name, secret := range disguises() {
		if strings.Contains(text, secret) {
			t.Errorf("%s holds %s, want it nowhere", where, name)
		}
	}
}

// signedIn records what a relay sees of apps that sign in, rightly and
// wrongly, by each mechanism.
func signedIn(t *testing.T) *store.Store {
	t.Helper()
	smarthost, err := testenv.NewSandbox(testenv.SandboxOptions{User: account, Password: password, RequireAuth: true})
	if err != nil {
		t.Fatal(err)
	}
	defer smarthost.Close()
	s, err := store.Open(t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	recorder := proxy.NewRecorder()
	server := relay(t, smarthost, recorder)
	var ends sync.WaitGroup
	ends.Go(func() { _ = server.Serve(context.Background()) })
	ends.Go(func() { _ = store.NewKeeper(s, store.KeeperOptions{}).Run(context.Background(), recorder) })
	for _, mechanism := range []string{"PLAIN", "LOGIN"} {
		for _, secret := range []string{password, wrong} {
			app := testenv.App{Addr: server.Addrs()[0].String(), Mechanism: mechanism, User: account, Password: secret}
			if v, err := app.Send(t.Context()); err != nil || v.Delivered() != (secret == password) {
				t.Fatalf("sign-in by %s: got %+v %v", mechanism, v, err)
			}
		}
	}
	if err := server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	recorder.Close()
	ends.Wait()
	return s
}

func relay(t *testing.T, smarthost *testenv.Sandbox, recorder *proxy.Recorder) *proxy.Server {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(smarthost.Roots())
	connector, err := upstream.New(upstream.Options{Roots: roots})
	if err != nil {
		t.Fatal(err)
	}
	target, err := upstream.ParseTarget(smarthost.Addr(), upstream.ModeAuto)
	if err != nil {
		t.Fatal(err)
	}
	server, err := proxy.New(proxy.Options{
		Routes:   []proxy.Route{{Name: "default", Listen: []string{"127.0.0.1:0"}, Target: target, Connector: connector}},
		Recorder: recorder, Log: zerolog.Nop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	return server
}

func TestAPISecrets(t *testing.T) {
	s := signedIn(t)
	srv := served(t, engaged(t, s))
	var ids []string
	err := s.Sessions(t.Context(), inspect.Filter{}, 0, func(v *inspect.Session) error {
		if v.Auth == nil || v.Auth.Username != account {
			t.Errorf("session %s: got sign-in %+v, want one of %s", v.ID, v.Auth, account)
		}
		ids = append(ids, v.ID)
		return nil
	})
	if err != nil || len(ids) != 4 {
		t.Fatalf("got %d sessions %v, want 4", len(ids), err)
	}
	paths := []string{"/sessions", "/sessions?format=ndjson", "/search", "/overview?since=1h"}
	for _, id := range ids {
		paths = append(paths, "/sessions/"+id, "/sessions/"+id+"/raw", "/sessions/"+id+"/messages/1", "/sessions/"+id+"/export/swaks", "/sessions/"+id+"/replay")
	}
	for _, path := range paths {
		_, _, body := ask(t, "GET", srv.URL+v1+path, nil)
		seek(t, path, body)
	}
	events := listen(t, srv.URL+v1+"/events?after=0", "")
	for range ids {
		seek(t, "an event", events.next().data)
	}
	blob := base64.StdEncoding.EncodeToString([]byte("\x00" + account + "\x00" + password))
	for _, q := range []request{
		{"POST", "", "/explain", asJSON, `{"text":"AUTH PLAIN ` + blob + `\n535 5.7.8 no"}`, "", 200},
		{"POST", "", "/explain", "text/plain", "cannot sign in with password=" + password + ": 535 5.7.8 no", "", 200},
		{"POST", "", "/check", asJSON, `{"target":"a:25","user":"` + account + `","password":"` + password + `"}`, "", 200},
		{"POST", "", "/check", asJSON, `{"target":"nonsense","user":"` + account + `","password":"` + password + `"}`, "", 400},
		{"POST", "", "/check", asJSON, `{"target":"a:25","password":["` + password + `"]}`, "", 400},
		{"POST", "", "/check", asJSON, `{"target":"a:25","password":"` + password, "", 400},
		{"POST", "", "/sessions/latest/replay", asJSON, `{"password":"` + password + `"}`, "", 400},
	} {
		q.url = v1 + q.url
		code, _, body := q.send(t, srv.URL)
		if code != q.want {
			t.Errorf("%s %.20s: got %d %s, want %d", q.url, q.body, code, body, q.want)
		}
		seek(t, q.url, body)
	}
}

// The guard stands before the API, and speaks JSON there.
func TestAPIGuard(t *testing.T) {
	srv := served(t, engaged(t, recordOf(t, kinds()...)))
	for want, change := range map[int]func(*http.Request){
		http.StatusMisdirectedRequest: func(r *http.Request) { r.Host = "evil.example" },
		http.StatusForbidden: func(r *http.Request) {
			posted("text/plain", "550 no")(r)
			r.Header.Set("Origin", "http://evil.example")
		},
	} {
		code, h, body := ask(t, "POST", srv.URL+v1+"/explain", change)
		if o := object(t, body); code != want || o["error"] == "" || o["advice"] == "" || h.Get("Content-Type") != asJSON {
			t.Errorf("got %d %s %s, want %d and an object", code, h.Get("Content-Type"), body, want)
		}
	}
}

func TestAPIElsewhere(t *testing.T) {
	srv := served(t, engaged(t, nil))
	for _, test := range []struct {
		method, path string
		want         int
		allow        string
	}{
		{"GET", "/api/", 404, ""}, {"GET", "/api/v2/sessions", 404, ""}, {"GET", v1 + "/sessions/a/b/c/d", 404, ""},
		{"POST", v1 + "/sessions", 405, "GET, HEAD"}, {"DELETE", v1 + "/sessions/latest", 405, "GET, HEAD"},
		{"GET", v1 + "/explain", 405, "POST"}, {"PUT", v1 + "/sessions/latest/replay", 405, "GET, HEAD, POST"},
		{"GET", v1 + "/sessions", 404, ""}, // no record is kept
	} {
		code, h, body := ask(t, test.method, srv.URL+test.path, nil)
		if o := object(t, body); code != test.want || h.Get("Allow") != test.allow || o["error"] == "" || o["advice"] == "" {
			t.Errorf("%s %s: got %d, Allow %q, %s, want %d and %q", test.method, test.path, code, h.Get("Allow"), body, test.want, test.allow)
		}
	}
}

// A site without its parts says what to do.
func TestAPILacking(t *testing.T) {
	srv := served(t, web.Options{Store: recordOf(t, kinds()...)})
	for _, q := range []request{
		{"POST", "", "/explain", asJSON, `{"text":"550"}`, "", 503}, {"POST", "", "/check", asJSON, `{"target":"a"}`, "", 503},
		{"GET", "", "/causes", "", "", "", 503}, {"GET", "", "/causes/a", "", "", "", 503},
		{"POST", "", "/sessions/latest/replay", asJSON, `{}`, "", 503}, {"GET", "", "/sessions/latest/replay", "", "", "", 503},
		{"GET", "", "/sessions/latest/export/swaks", "", "", "", 503},
	} {
		q.url = v1 + q.url
		code, _, body := q.send(t, srv.URL)
		if o := object(t, body); code != q.want || !strings.Contains(o["advice"].(string), "smtp-proxy ") {
			t.Errorf("%s %s: got %d %s, want %d and the command that does it", q.method, q.url, code, body, q.want)
		}
	}
}
