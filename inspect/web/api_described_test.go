package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// described is the API's own description, read strictly: objects have no
// fields but those that it names.
type described struct {
	*openapi3.T
	seen map[string]bool // "GET /api/v1/sessions 200"
}

func describedBy(t *testing.T, text string) *described {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	no := false
	for _, s := range doc.Components.Schemas {
		if len(s.Value.Properties) > 0 {
			s.Value.AdditionalProperties.Has = &no
		}
	}
	return &described{doc, map[string]bool{}}
}

// check holds an answer against the description.
func (d *described) check(t *testing.T, method, path string, code int, kind, body string) {
	t.Helper()
	o := d.Paths.Value(path).GetOperation(method)
	answer := o.Responses.Status(code)
	if answer == nil {
		answer = o.Responses.Default()
	}
	content := answer.Value.Content.Get(kind)
	if content == nil {
		t.Errorf("%s %s: got %d as %q, want a type that the description has", method, path, code, kind)
		return
	}
	d.seen[method+" "+path+" "+http.StatusText(code)] = true
	if kind != "application/json" {
		return
	}
	if err := valid(content.Schema.Value, body); err != nil {
		t.Errorf("%s %s: got %d %s, which is not as described: %v", method, path, code, body, err)
	}
}

// object holds one object of a stream against a schema.
func (d *described) object(t *testing.T, schema, text string) {
	t.Helper()
	if err := valid(d.Components.Schemas[schema].Value, text); err != nil {
		t.Errorf("got %s, which is no %s: %v", text, schema, err)
	}
}

func valid(s *openapi3.Schema, text string) error {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return err
	}
	return s.VisitJSON(v, openapi3.EnableJSONSchema2020(), openapi3.MultiErrors())
}

// request is one way to ask.
type request struct {
	method, path string // as described
	url          string
	kind, body   string
	accept       string
	want         int
}

func (q request) send(t *testing.T, base string) (int, http.Header, string) {
	t.Helper()
	return ask(t, q.method, base+q.url, func(r *http.Request) {
		if q.kind != "" {
			posted(q.kind, q.body)(r)
		}
		if q.accept != "" {
			r.Header.Set("Accept", q.accept)
		}
	})
}

const (
	v1     = "/api/v1"
	asJSON = "application/json"
)

// requests ask for everything that there is, rightly and wrongly.
func requests() []request {
	list := []request{
		{"GET", v1 + "/sessions", "/sessions", "", "", "", 200},
		{"GET", v1 + "/sessions", "/sessions?limit=2&before=" + idOf(5), "", "", "", 200},
		{"GET", v1 + "/sessions", "/sessions?q=cause:tls.*&after=" + idOf(0), "", "", "application/*;q=0.5", 200},
		{"GET", v1 + "/sessions", "/sessions?format=ndjson", "", "", "", 200},
		{"GET", v1 + "/sessions", "/sessions?q=cuase:x", "", "", "", 400},
		{"GET", v1 + "/sessions", "/sessions?limit=501", "", "", "", 400},
		{"GET", v1 + "/sessions", "/sessions?limits=5", "", "", "", 400},
		{"GET", v1 + "/sessions", "/sessions?q=a&q=b", "", "", "", 400},
		{"GET", v1 + "/sessions", "/sessions?q=%zz", "", "", "", 400},
		{"GET", v1 + "/sessions", "/sessions?before=a&after=b", "", "", "", 400},
		{"GET", v1 + "/sessions", "/sessions?format=xml", "", "", "", 400},
		{"GET", v1 + "/sessions", "/sessions?format=ndjson&before=" + idOf(5), "", "", "", 400},
		{"GET", v1 + "/sessions", "/sessions?before=nobody", "", "", "", 404},
		{"GET", v1 + "/sessions", "/sessions?before=01JD", "", "", "", 409},
		{"GET", v1 + "/sessions", "/sessions", "", "", "text/html", 406},
		{"GET", v1 + "/search", "/search?q=outcome:delivered", "", "", "", 200},
		{"GET", v1 + "/search", "/search?format=ndjson", "", "", "", 400},
		{"GET", v1 + "/search", "/search", "", "", "application/x-ndjson", 406},
		{"GET", v1 + "/sessions/{id}", "/sessions/latest", "", "", "", 200},
		{"GET", v1 + "/sessions/{id}", "/sessions/nobody", "", "", "", 404},
		{"GET", v1 + "/sessions/{id}", "/sessions/01JD", "", "", "", 409},
		{"GET", v1 + "/sessions/{id}", "/sessions/latest?x=1", "", "", "", 400},
		{"GET", v1 + "/sessions/{id}", "/sessions/latest", "", "", "image/png, */*;q=0", 406},
		{"GET", v1 + "/sessions/{id}/raw", "/sessions/" + idOf(4) + "/raw", "", "", "", 200},
		{"GET", v1 + "/sessions/{id}/messages/{n}", "/sessions/" + idOf(2) + "/messages/1", "", "", "", 200},
		{"GET", v1 + "/sessions/{id}/messages/{n}", "/sessions/" + idOf(2) + "/messages/9", "", "", "", 404},
		{"GET", v1 + "/sessions/{id}/replay", "/sessions/latest/replay?upstream=sandbox&to=a@b,c@d", "", "", "", 200},
		{"GET", v1 + "/sessions/{id}/replay", "/sessions/latest/replay?upstream=nowhere", "", "", "", 409},
		{"GET", v1 + "/sessions/{id}/replay", "/sessions/latest/replay?deliver=maybe", "", "", "", 400},
		{"POST", v1 + "/sessions/{id}/replay", "/sessions/latest/replay", asJSON, `{"upstream":"sandbox","to":["a@b"]}`, "", 200},
		{"POST", v1 + "/sessions/{id}/replay", "/sessions/latest/replay", asJSON, `{"session":"x"}`, "", 400},
		{"POST", v1 + "/sessions/{id}/replay", "/sessions/latest/replay", asJSON, `{"upstream":"nowhere"}`, "", 409},
		{"POST", v1 + "/sessions/{id}/replay", "/sessions/latest/replay", asJSON, `{"upstream":"busy"}`, "", 503},
		{"POST", v1 + "/sessions/{id}/replay", "/sessions/latest/replay", "", "", "", 415},
		{"POST", v1 + "/sessions/{id}/replay", "/sessions/nobody/replay", asJSON, `{}`, "", 404},
		{"GET", v1 + "/sessions/{id}/export/{format}", "/sessions/latest/export/html?anonymize=1&message=1", "", "", "", 200},
		{"GET", v1 + "/sessions/{id}/export/{format}", "/sessions/latest/export/docx", "", "", "", 404},
		{"GET", v1 + "/sessions/{id}/export/{format}", "/sessions/latest/export/swaks?message=7", "", "", "", 409},
		{"GET", v1 + "/sessions/{id}/export/{format}", "/sessions/latest/export/swaks?message=0", "", "", "", 400},
		{"POST", v1 + "/explain", "/explain", asJSON, `{"text":"550 5.1.1 no such user","upstream":"smtp.gmail.com"}`, "", 200},
		{"POST", v1 + "/explain", "/explain?upstream=smtp.gmail.com", "text/plain; charset=utf-8", "535 5.7.8 bad password", "", 200},
		{"POST", v1 + "/explain", "/explain", asJSON, `{"text":"  "}`, "", 400},
		{"POST", v1 + "/explain", "/explain", asJSON, `{"text":1}`, "", 400},
		{"POST", v1 + "/explain", "/explain", asJSON, `{"text":`, "", 400},
		{"POST", v1 + "/explain", "/explain", asJSON, `{"text":"a"} {}`, "", 400},
		{"POST", v1 + "/explain", "/explain", asJSON, `{"text":"` + strings.Repeat("a", 1<<20) + `"}`, "", 413},
		{"POST", v1 + "/explain", "/explain", asJSON, `{"text":"` + strings.Repeat("a", 64<<10+1) + `"}`, "", 413},
		{"POST", v1 + "/explain", "/explain?upstream=" + strings.Repeat("a", 256), "text/plain", "550", "", 413},
		{"POST", v1 + "/explain", "/explain", "application/x-www-form-urlencoded", `text=550`, "", 415},
		{"POST", v1 + "/check", "/check", asJSON, `{"target":"smtp.example.com:587"}`, "", 200},
		{"POST", v1 + "/check", "/check", asJSON, `{"target":"smtp.example.com:587"}`, "text/event-stream", 200},
		{"POST", v1 + "/check", "/check", asJSON, `{"target":"nonsense"}`, "text/event-stream", 400},
		{"POST", v1 + "/check", "/check", asJSON, `{"target":""}`, "", 400},
		{"POST", v1 + "/check", "/check", asJSON, `{"traget":"x"}`, "", 400},
		{"POST", v1 + "/check", "/check", "text/plain", `{"target":"x"}`, "", 415},
		{"POST", v1 + "/check", "/check", asJSON, `{"target":"busy"}`, "", 503},
		{"POST", v1 + "/check", "/check", asJSON, `{"target":"x"}`, "text/html", 406},
		{"GET", v1 + "/causes", "/causes", "", "", "", 200},
		{"GET", v1 + "/causes/{id}", "/causes/tls.certificate-expired", "", "", "", 200},
		{"GET", v1 + "/causes/{id}", "/causes/tls.certificate-expire", "", "", "", 404},
		{"GET", v1 + "/overview", "/overview?since=2h&columns=4", "", "", "", 200},
		{"GET", v1 + "/overview", "/overview?since=2026-11-20T12:00:00Z&until=2026-11-20T13:00:00Z&upstream=smtp.example.com:587", "", "", "", 200},
		{"GET", v1 + "/overview", "/overview?since=1s", "", "", "", 400},
		{"GET", v1 + "/overview", "/overview?since=soon", "", "", "", 400},
		{"GET", v1 + "/overview", `/overview?since=2h"%20text`, "", "", "", 400},
		{"GET", v1 + "/overview", "/overview?columns=0", "", "", "", 400},
		{"GET", v1 + "/events", "/events?after=x", "", "", "", 400},
		{"GET", v1 + "/events", "/events", "", "", "application/json", 406},
		{"GET", v1 + "/openapi.json", "/openapi.json", "", "", "", 200},
	}
	for i := range list {
		list[i].url = v1 + list[i].url
	}
	return list
}

func TestAPIAsDescribed(t *testing.T) {
	srv := served(t, engaged(t, recordOf(t, kinds()...)))
	_, _, text := ask(t, "GET", srv.URL+"/api/v1/openapi.json", nil)
	d := describedBy(t, text)
	for _, q := range requests() {
		code, h, body := q.send(t, srv.URL)
		if code != q.want {
			t.Errorf("%s %s %s: got %d %s, want %d", q.method, q.url, q.body, code, body, q.want)
			continue
		}
		if h.Get("Cache-Control") != "no-store" || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s: got headers %v, want no-store and no CORS", q.method, q.url, h)
		}
		d.check(t, q.method, q.path, code, h.Get("Content-Type"), body)
		if code == 200 && h.Get("Content-Type") == "application/x-ndjson" {
			for line := range strings.Lines(body) {
				d.object(t, "Session", line)
			}
		}
		if q.method == "GET" {
			q.method = "HEAD"
			if got, _, body := q.send(t, srv.URL); got != code || body != "" {
				t.Errorf("HEAD %s: got %d %q, want %d and nothing", q.url, got, body, code)
			}
		}
	}
	for path, item := range d.Paths.Map() {
		for method := range item.Operations() {
			if key := method + " " + path + " OK"; !d.seen[key] && path != v1+"/events" {
				t.Errorf("%s was not asked for rightly", key)
			}
		}
	}
	for _, v := range kinds() {
		_, _, body := ask(t, "GET", srv.URL+v1+"/sessions/"+v.ID, nil)
		d.object(t, "Session", body)
	}
}

// A description that lets everything through would pass unseen.
func TestDescriptionIsStrict(t *testing.T) {
	srv := served(t, engaged(t, recordOf(t, kinds()...)))
	_, _, text := ask(t, "GET", srv.URL+"/api/v1/openapi.json", nil)
	_, _, body := ask(t, "GET", srv.URL+"/api/v1/sessions/"+idOf(0), nil)
	d := describedBy(t, text)
	for was, is := range map[string]string{
		`"outcome":"partial"`: `"outcome":"lost"`, `"leg":"app"`: `"leg":1`, `"auth":{"mechanism"`: `"auth":{"secrets":1,"mechanism"`,
		`"seq":1,`: ``, `"names":["smtp.example.com"]`: `"names":null`, `"ended":"`: `"ended":1,"was":"`,
	} {
		changed := strings.Replace(body, was, is, 1)
		if changed == body {
			t.Errorf("%s is not in %s", was, body)
		}
		if valid(d.Components.Schemas["Session"].Value, changed) == nil {
			t.Errorf("%s in place of %s: got a valid session, want none", is, was)
		}
	}
}
