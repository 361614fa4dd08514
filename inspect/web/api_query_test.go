package web

import (
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// A search that ran out of time goes on behind what it has been through, with
// or without something found.
func TestListReached(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 5000, time.UTC)
	found := []*inspect.Session{{ID: "B", Started: at.Add(time.Hour)}}
	for _, sessions := range [][]*inspect.Session{nil, found} {
		for after, want := range map[string]string{"": `subject:a*b before:"2026-11-20t12:00:00.000005z"`, "A": `subject:a*b since:"2026-11-20t12:00:00.000005z"`} {
			q := query{url.Values{"q": {"subject:a*b"}, "limit": {"7"}, "after": {after}}}
			list := q.list("/api/v1/sessions", store.Page{Sessions: sessions, Older: true, Reached: at})
			address := list.Older
			if after != "" {
				address = list.Newer
			}
			next, err := queryOf(httptest.NewRequest("GET", address, nil), "q", "limit", "reached", "after")
			if err != nil || list.Reached != "2026-11-20T12:00:00.000005Z" {
				t.Fatalf("got %+v %v, want how far it reached", list, err)
			}
			f, err := next.behind(parsed(t, next.Get("q")))
			if err != nil || next.Get("limit") != "7" || next.Get("after") != after || f.String() != want {
				t.Errorf("from %s: got filter %q %v, want %q", address, f, err, want)
			}
		}
	}
}

func TestAgreed(t *testing.T) {
	for _, test := range []struct{ accept, want string }{
		{"", typeJSON}, {"*/*", typeJSON}, {"application/x-ndjson", typeLines}, {"application/*;q=0.1, application/x-ndjson;q=0.2", typeLines},
		{"application/json;q=0.1, */*;q=0.5", typeLines}, {"text/html, */*;q=0.8", typeJSON}, {"application/json;q=0", ""},
		{"application/x-ndjson;q=0, */*", typeJSON}, {"text/html", ""}, {"nonsense;;;", ""}, {"application/json;q=x", typeJSON},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept", test.accept)
		if got, err := agreed(r, typeJSON, typeLines); got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("Accept: %s: got %q %v, want %q", test.accept, got, err, test.want)
		}
	}
}
