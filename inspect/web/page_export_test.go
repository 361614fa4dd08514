package web_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/web"
)

func read(t *testing.T, resp *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// reporter exports a session as a report, as the proxy does.
type reporter struct {
	worker
	session *inspect.Session
}

func (r reporter) Export(_ context.Context, w io.Writer, _ web.ExportRequest) error {
	return web.Report(w, r.session, web.ReportOptions{})
}

// hostileRecord has one session, whose peers say what they should not.
func hostileRecord(t *testing.T) (o web.Options, id string) {
	t.Helper()
	v := hostile()
	v.ID = idOf(1)
	return engaged(t, recordOf(t, v)), v.ID
}

// The report's style is the only thing that its policy lets in, and it is the
// style that stands in it.
func TestExportReport(t *testing.T) {
	o, id := hostileRecord(t)
	o.Exporter = reporter{session: hostile()}
	srv := served(t, o)
	code, h, body := ask(t, "GET", srv.URL+"/sessions/"+id+"/export/html?anonymize=1", nil)
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(body)
	if code != 200 || style == nil {
		t.Fatalf("got %d, want 200 and a style in\n%s", code, body)
	}
	sum := sha256.Sum256([]byte(style[1]))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if got := h.Get("Content-Security-Policy"); got != want {
		t.Errorf("got the policy %q, want %q", got, want)
	}
	if got, want := h.Get("Content-Disposition"), "inline; filename="+id+"-anonymized.html"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if strings.Contains(body, "<script>alert") {
		t.Errorf("got a script in\n%s", body)
	}
}

// A file is named by what the record says, never by what was asked.
func TestExportFiles(t *testing.T) {
	o, id := hostileRecord(t)
	srv := served(t, o)
	for _, test := range []struct {
		path, how string
		code      int
	}{
		{id + "/export/swaks", "attachment; filename=" + id + ".sh", 200},
		{"latest/export/swaks", "attachment; filename=" + id + ".sh", 200},
		{id + "/export/swaks?message=x", "", 400},
		{id + "/export/swaks?message=7", "", 409},
		{id + "/export/nothing%0d%0aSet-Cookie:%20a", "", 404},
		{"none/export/swaks", "", 404},
	} {
		code, h, body := ask(t, "GET", srv.URL+"/sessions/"+test.path, nil)
		if code != test.code || h.Get("Content-Disposition") != test.how || h.Get("Set-Cookie") != "" {
			t.Errorf("%s: got %d and %q, want %d and %q:\n%s", test.path, code, h.Get("Content-Disposition"), test.code, test.how, body)
		}
		if policy := h.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: got the policy %q, want one that allows nothing by default", test.path, policy)
		}
	}
}

// A file that breaks off is no whole file.
func TestExportBreaksOff(t *testing.T) {
	o, id := hostileRecord(t)
	srv := served(t, o)
	resp, err := http.Get(srv.URL + "/sessions/" + id + "/export/swaks?message=8")
	if err != nil {
		return // cut off before its header had been read
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("got %q as a whole file, want it cut off", text)
	}
}
