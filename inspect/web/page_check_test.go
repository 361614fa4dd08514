package web_test

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"smtp-proxy/inspect/web"
)

// form posts fields and returns the answer.
func form(t *testing.T, ctx context.Context, at string, fields url.Values) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at, strings.NewReader(fields.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// A step is shown when it has been taken, while the check goes on.
func TestCheckStreams(t *testing.T) {
	srv := served(t, web.Options{Checker: worker{}})
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	resp := form(t, ctx, srv.URL+"/check", url.Values{"target": {"stalled"}})
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if strings.Contains(lines.Text(), `<span class="name">dns</span>`) {
			return // the check itself waits until its reader leaves
		}
	}
	t.Fatalf("got the end of the page (%v) before its first step", lines.Err())
}

// What the form has is text on the page, and the cut of the page is nothing
// that somebody could type.
func TestCheckShowsText(t *testing.T) {
	srv := served(t, web.Options{Checker: worker{}})
	const typed = `"><script>x</script><!-- the steps of the check -->`
	resp := form(t, t.Context(), srv.URL+"/check", url.Values{"target": {typed}, "user": {typed}, "password": {"hidden-1"}, "from": {typed}})
	body := read(t, resp)
	if resp.StatusCode != 200 || strings.Contains(body, "<script>x") || strings.Contains(body, "<!--") || strings.Contains(body, "hidden-1") {
		t.Errorf("got %d, want 200 and what was typed as text, less the password:\n%s", resp.StatusCode, body)
	}
	for _, want := range []string{`<span class="name">tcp</span>`, "exit code 2", "connect.refused", "refused<span class=\"ctl\"", "</html>"} {
		if !strings.Contains(body, want) {
			t.Errorf("got no %s in\n%s", want, body)
		}
	}
}

// What cannot be checked is said in the form.
func TestCheckRefused(t *testing.T) {
	srv := served(t, web.Options{Checker: worker{}})
	for target, want := range map[string]int{"": 400, "nonsense": 400, "busy": 503, "fine": 200} {
		resp := form(t, t.Context(), srv.URL+"/check", url.Values{"target": {target}})
		body := read(t, resp)
		if resp.StatusCode != want || strings.Contains(body, `role="alert"`) != (want >= 400) {
			t.Errorf("%q: got %d, want %d, and an alert where it is refused:\n%s", target, resp.StatusCode, want, body)
		}
		if (resp.Header.Get("Retry-After") != "") != (want == 503) {
			t.Errorf("%q: got Retry-After %q with %d", target, resp.Header.Get("Retry-After"), resp.StatusCode)
		}
	}
	without := served(t, web.Options{})
	if resp := form(t, t.Context(), without.URL+"/check", url.Values{"target": {"a"}}); resp.StatusCode != 404 {
		t.Errorf("without a checker: got %d, want 404", resp.StatusCode)
	}
	large := form(t, t.Context(), srv.URL+"/check", url.Values{"target": {strings.Repeat("a", 1<<20)}})
	if large.StatusCode != 400 {
		t.Errorf("a form of a megabyte: got %d, want 400", large.StatusCode)
	}
}

// The form offers the smarthosts of the routes, each once.
func TestCheckKnown(t *testing.T) {
	srv := served(t, web.Options{Checker: worker{}, Setup: func() web.Setup {
		return web.Setup{Routes: []web.SetupRoute{
			{Name: "default", Upstream: "smtp.example.com:587"}, {Name: "again", Upstream: "smtp.example.com:587"},
			{Name: "box", Upstream: "the embedded sandbox", Sandbox: true}, {Name: "redirected"},
		}}
	}})
	_, _, body := ask(t, "GET", srv.URL+"/check?target=typed.example&from=a@example.com", nil)
	for want, n := range map[string]int{`<button name="target" value="smtp.example.com:587">`: 1, `<button name="target" value="sandbox">`: 1, `<button name="target"`: 2, `value="typed.example"`: 1, "<details class=\"more-fields\" open>": 1} {
		if got := strings.Count(body, want); got != n {
			t.Errorf("got %s %d times, want %d:\n%s", want, got, n, body)
		}
	}
}
