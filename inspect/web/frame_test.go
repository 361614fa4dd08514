package web

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// TestUnknown has addresses and methods that are not there answered in the
// frame of all pages, or as an object for the API.
func TestUnknown(t *testing.T) {
	s := newSite(t, Options{Version: "1.2.3"})
	for _, test := range []struct {
		method, path string
		code         int
		allow, want  string
	}{
		{"GET", "/nowhere%1b%3Cscript%3E", 404, "", `/nowhere\x1b&lt;script&gt;`},
		{"GET", "/static/none.css", 404, "", "from another version"},
		{"DELETE", "/", 405, "GET, HEAD", "takes no DELETE"},
		{"GET", "/api/v1/nowhere", 404, "", `"error":"`},
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(test.method, "http://localhost"+test.path, nil))
		page := w.Body.String()
		if w.Code != test.code || w.Header().Get("Allow") != test.allow || !strings.Contains(page, test.want) {
			t.Errorf("%s %s: got %d, Allow %q, want %d, %q and %q in\n%s", test.method, test.path, w.Code, w.Header().Get("Allow"), test.code, test.allow, test.want, page)
		}
		if inFrame := strings.Contains(page, `aria-label="Pages"`); inFrame == strings.HasPrefix(test.path, "/api/") {
			t.Errorf("%s %s: in the frame: %v", test.method, test.path, inFrame)
		}
	}
}

// TestIcon loads what the frame names.
func TestIcon(t *testing.T) {
	s := newSite(t, Options{})
	for path, kind := range map[string]string{s.assets.IconPath: "image/svg+xml", s.assets.StylePath: "text/css; charset=utf-8", s.assets.ScriptPath: "text/javascript; charset=utf-8"} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost"+path, nil))
		if w.Code != 200 || w.Header().Get("Content-Type") != kind || w.Body.Len() == 0 {
			t.Errorf("%s: got %d, %q and %d octets, want 200 and %q", path, w.Code, w.Header().Get("Content-Type"), w.Body.Len(), kind)
		}
	}
}
