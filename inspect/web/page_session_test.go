package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
	"smtp-proxy/inspect/web"
	"smtp-proxy/proxy/session"
)

// views are the tabs of a session.
var views = []string{"", "/messages", "/raw", "/timing"}

// page asks for a page and wants it to be a good one.
func page(t testing.TB, url string) (string, *html.Node) {
	t.Helper()
	code, _, text := fetched(t, url)
	if code != http.StatusOK {
		t.Fatalf("%s: got %d, want 200\n%s", url, code, text)
	}
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return text, root
}

// fetched asks without following where it is led.
func fetched(t testing.TB, url string) (int, http.Header, string) {
	t.Helper()
	one := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := one.Get(url)
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

// TestSessionViews reads each view of each kind of session.
func TestSessionViews(t *testing.T) {
	list := kinds()
	srv := served(t, engaged(t, recordOf(t, list...)))
	for _, v := range list {
		for _, view := range views {
			at := srv.URL + "/sessions/" + v.ID + view
			_, root := page(t, at)
			checkPage(t, at, root)
		}
	}
}

// checkPage wants a page to hold nothing that runs or loads but the site's
// own, each id once, and links within it that lead somewhere.
func checkPage(t *testing.T, at string, root *html.Node) {
	t.Helper()
	ids, links := map[string]int{}, []string{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		checkElement(t, at, n)
		if id := attribute(n, "id"); id != "" {
			ids[id]++
		}
		if to, ok := strings.CutPrefix(attribute(n, "href"), "#"); ok {
			links = append(links, to)
		}
	}
	for id, n := range ids {
		if n != 1 {
			t.Errorf("%s: %d elements have the id %s", at, n, id)
		}
	}
	for _, to := range links {
		if ids[to] == 0 {
			t.Errorf("%s: a link leads to #%s, which is nowhere", at, to)
		}
	}
}

func checkElement(t *testing.T, at string, n *html.Node) {
	t.Helper()
	src := attribute(n, "src")
	switch n.DataAtom {
	case atom.Script:
		if !strings.HasPrefix(src, "/static/") || n.FirstChild != nil {
			t.Errorf("%s: got a script from %q", at, src)
		}
	case atom.Iframe:
		if sandbox, ok := has(n, "sandbox"); !ok || sandbox != "" || !strings.HasPrefix(src, "/sessions/") {
			t.Errorf("%s: got a frame of %q with sandbox %q, want one of this site with an empty one", at, src, sandbox)
		}
	case atom.Style, atom.Object, atom.Embed, atom.Img, atom.Base:
		t.Errorf("%s: got <%s>", at, n.Data)
	}
	for _, a := range n.Attr {
		if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
			t.Errorf("%s: got <%s %s=%q>", at, n.Data, a.Key, a.Val)
		}
	}
	to, ok := has(n, "href")
	if ok && !strings.HasPrefix(to, "#") && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//")) && !strings.HasPrefix(to, "https://support.example.com/") {
		t.Errorf("%s: got <%s href=%q>", at, n.Data, to)
	}
}

func has(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// TestSessionHostile plants markup in each text of a session.
func TestSessionHostile(t *testing.T) {
	for i, word := range nasty {
		v := refused()
		id := v.ID
		plant(reflect.ValueOf(v).Elem(), word)
		v.ID, v.Outcome = id, inspect.Partial
		srv := served(t, engaged(t, recordOf(t, v)))
		for _, view := range views {
			text, root := page(t, srv.URL+"/sessions/"+id+view)
			checkPage(t, nasty[i]+" "+view, root)
			if strings.Contains(word, "<") && strings.Contains(text, word) {
				t.Errorf("%q stands in %q as it was", word, view)
			}
		}
	}
}

// TestSessionFinding wants the card to say all that is known, and its links to
// lead further.
func TestSessionFinding(t *testing.T) {
	v := refused()
	srv := served(t, engaged(t, recordOf(t, v)))
	at := "/sessions/" + v.ID
	text, _ := page(t, srv.URL+at)
	for _, want := range []string{
		`href="/causes/recipient.unknown"`, `href="#line-15"`, `id="line-15" class="proof`, `href="#finding-1"`, "In 3 of the last 40 sessions", "the certificate is another one",
		`href="/?q=cause%3Arecipient.unknown&#43;upstream%3Asmtp.example.com%3A587"`, "1 further finding: tls.certificate-expired", "Tries, each after the one before: 5 minutes, 2 hours", "app.local",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if text, _ = page(t, srv.URL+at+"/raw"); !strings.Contains(text, `href="`+at+`#line-15"`) {
		t.Error("on another tab the evidence does not lead to the dialogue")
	}
}

func TestSessionAddress(t *testing.T) {
	list := kinds()
	srv := served(t, engaged(t, recordOf(t, list...)))
	last, failed := list[len(list)-1].ID, ""
	for _, v := range list {
		if v.Outcome != inspect.Delivered && v.Outcome != inspect.NoMail {
			failed = v.ID
		}
	}
	for path, want := range map[string]string{
		"/sessions/latest": "/sessions/" + last, "/sessions/latest/messages?from=2": "/sessions/" + last + "/messages?from=2",
		"/sessions/latest-failed/raw": "/sessions/" + failed + "/raw",
	} {
		code, h, _ := fetched(t, srv.URL+path)
		if got := h.Get("Location"); code != http.StatusFound || got != want {
			t.Errorf("%s: got %d to %q, want 302 to %q", path, code, got, want)
		}
	}
	for path, want := range map[string]int{
		"/sessions/none": 404, "/sessions/01JD": 409, "/sessions/" + last + "/messages/9/html": 404, "/sessions/" + last + "/messages/x/source": 404, "/sessions/" + last + "/nothing": 404,
	} {
		if code, _, text := fetched(t, srv.URL+path); code != want || !strings.Contains(text, "<h1>") {
			t.Errorf("%s: got %d, want a page with %d", path, code, want)
		}
	}
}

func TestSessionNeighbours(t *testing.T) {
	list := kinds()
	srv := served(t, engaged(t, recordOf(t, list...)))
	for i, v := range list {
		text, _ := page(t, srv.URL+"/sessions/"+v.ID)
		for step, rel := range map[int]string{-1: "prev", 1: "next"} {
			j := i + step
			want := j >= 0 && j < len(list)
			link := ` rel="` + rel + `"`
			if got := strings.Contains(text, link); got != want {
				t.Errorf("session %d has a link %s: %v, want %v", i, rel, got, want)
			} else if got && !strings.Contains(text, `href="/sessions/`+list[j].ID+`"`+link) {
				t.Errorf("session %d: its %s is not session %d", i, rel, j)
			}
		}
	}
}

// TestSessionFresh has the script look again as long as probes may come.
func TestSessionFresh(t *testing.T) {
	v := refused()
	o := engaged(t, recordOf(t, v))
	for after, want := range map[time.Duration]bool{time.Second: true, time.Hour: false} {
		o.Now = func() time.Time { return v.Ended.Add(after) }
		text, _ := page(t, served(t, o).URL+"/sessions/"+v.ID)
		if got := strings.Contains(text, "data-fresh"); got != want {
			t.Errorf("%v after its end it is loaded again: %v, want %v", after, got, want)
		}
	}
}

func TestSessionWithoutRecord(t *testing.T) {
	srv := served(t, web.Options{})
	if code, _, text := fetched(t, srv.URL+"/sessions/latest"); code != 404 || !strings.Contains(text, "no record is kept") {
		t.Errorf("got %d %s, want 404 and why", code, text)
	}
}

// TestSessionPaces shows a dialogue with time and groups in it.
func TestSessionPaces(t *testing.T) {
	v := newTale(inspect.Delivered)
	for _, text := range []string{"MAIL FROM:<me@example.com>", "RCPT TO:<a@example.net>", "RCPT TO:<b@example.net>"} {
		v.say(text)
	}
	for _, verb := range []string{"MAIL", "RCPT", "RCPT"} {
		v.verb = verb
		v.hear(session.FromUpstream, "250 ok")
	}
	v.Events[3].At = v.Events[2].At.Add(10 * time.Second)
	for i := 4; i < len(v.Events); i++ {
		v.Events[i].At = v.Events[3].At
	}
	v.Events[3].Wait, v.Ended = 10*time.Second, v.Events[3].At
	srv := served(t, engaged(t, recordOf(t, v.Session)))
	text, _ := page(t, srv.URL+"/sessions/"+v.ID)
	for _, want := range []string{"3 commands without waiting", `class="piped first`, `class="piped last`, "piped n12", "10.0 s, waiting for the upstream", "to RCPT TO:&lt;b@example.net&gt;"} {
		if !strings.Contains(text, want) {
			t.Errorf("the dialogue has no %q", want)
		}
	}
	if text, _ = page(t, srv.URL+"/sessions/"+v.ID+"/timing"); !strings.Contains(text, "Waiting for the upstream") || !strings.Contains(text, "99.") {
		t.Errorf("the upstream took nearly all of the time, and the page does not say so:\n%s", text)
	}
}

// served2 is a site over a store; it returns its address.
func served2(t testing.TB, s *store.Store) string {
	t.Helper()
	site, err := web.New(web.Options{Store: s, Zone: time.UTC, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(site)
	t.Cleanup(srv.Close)
	return srv.URL
}
