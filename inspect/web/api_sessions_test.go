package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"smtp-proxy/inspect"
)

// listed are the ids of an answer's sessions.
func listed(o map[string]any) (ids []string) {
	for _, v := range o["sessions"].([]any) {
		ids = append(ids, v.(map[string]any)["id"].(string))
	}
	return ids
}

func TestAPISessionsPages(t *testing.T) {
	srv := served(t, engaged(t, recordOf(t, kinds()...)))
	n := len(kinds())
	var got []string
	next, newest := "/api/v1/sessions?limit=3", ""
	for pages := 0; next != ""; pages++ {
		if pages > n {
			t.Fatalf("got more than %d pages, the last behind %s", n, next)
		}
		code, _, body := ask(t, "GET", srv.URL+next, nil)
		if code != 200 {
			t.Fatalf("%s: got %d %s", next, code, body)
		}
		o := object(t, body)
		got = append(got, listed(o)...)
		next = o["older"].(string)
		if pages == 1 {
			newest = o["newer"].(string)
		}
	}
	for i := range got {
		if want := idOf(n - 1 - i); got[i] != want {
			t.Errorf("session %d of all pages: got %s, want %s", i, got[i], want)
		}
	}
	if len(got) != n {
		t.Errorf("got %d sessions on all pages, want %d: %q", len(got), n, got)
	}
	_, _, body := ask(t, "GET", srv.URL+newest, nil)
	if ids := listed(object(t, body)); len(ids) != 3 || ids[0] != idOf(n-1) {
		t.Errorf("back from the second page (%s): got %q, want the three newest", newest, ids)
	}
}

func TestAPISessionsShape(t *testing.T) {
	srv := served(t, engaged(t, recordOf(t, kinds()...)))
	_, _, body := ask(t, "GET", srv.URL+"/api/v1/sessions/"+idOf(0), nil)
	var got inspect.Session
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	want, _ := json.Marshal(kinds()[0])
	if again, _ := json.Marshal(&got); string(again) != string(want) {
		t.Errorf("got\n%s\nwant what show --json prints:\n%s", again, want)
	}
	for name, id := range map[string]string{"latest": idOf(6), "latest-failed": idOf(6), idOf(2): idOf(2)} {
		_, _, body := ask(t, "GET", srv.URL+"/api/v1/sessions/"+name, nil)
		if got := object(t, body)["id"]; got != id {
			t.Errorf("%s: got session %v, want %s", name, got, id)
		}
	}
}

func TestAPILines(t *testing.T) {
	srv := served(t, engaged(t, recordOf(t, kinds()...)))
	for name, change := range map[string]func(*http.Request){
		"/api/v1/sessions?format=ndjson&q=from:me@example.com": nil,
		"/api/v1/sessions?q=from:me@example.com":               func(r *http.Request) { r.Header.Set("Accept", "application/x-ndjson") },
	} {
		code, h, body := ask(t, "GET", srv.URL+name, change)
		if code != 200 || h.Get("Content-Type") != "application/x-ndjson" {
			t.Fatalf("%s: got %d %s", name, code, h.Get("Content-Type"))
		}
		lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
		for i, id := range []string{idOf(3), idOf(2), idOf(0)} {
			if i >= len(lines) || object(t, lines[i])["id"] != id {
				t.Errorf("%s: got %q, want session %s in line %d", name, body, id, i+1)
			}
		}
		if len(lines) != 3 {
			t.Errorf("%s: got %d lines, want 3", name, len(lines))
		}
	}
}

func TestAPISearchTally(t *testing.T) {
	srv := served(t, engaged(t, recordOf(t, kinds()...)))
	_, _, body := ask(t, "GET", srv.URL+"/api/v1/search?limit=1&q=from:me@example.com", nil)
	o := object(t, body)
	got, _ := json.Marshal(o["tally"])
	want := `{"all":3,"bounded":false,"causes":{"recipient.unknown":1,"tls.certificate-expired":1},"outcomes":{"delivered":2,"partial":1}}`
	if string(got) != want || len(listed(o)) != 1 {
		t.Errorf("got %d sessions and tally %s, want 1 and %s", len(listed(o)), got, want)
	}
}

func TestAPIMessages(t *testing.T) {
	srv := served(t, engaged(t, recordOf(t, kinds()...)))
	for id, want := range map[string]string{idOf(2): plain, idOf(3): dotted} {
		code, h, body := ask(t, "GET", srv.URL+"/api/v1/sessions/"+id+"/messages/1", nil)
		if code != 200 || body != want {
			t.Errorf("message of %s: got %d %q, want %q", id, code, body, want)
		}
		if h.Get("Content-Type") != "message/rfc822" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment;") {
			t.Errorf("message of %s: got headers %v, want an attachment of message/rfc822", id, h)
		}
	}
	for path, want := range map[string]int{idOf(2) + "/messages/0": 404, idOf(2) + "/messages/2": 404, idOf(2) + "/messages/x": 404, idOf(1) + "/messages/1": 404, idOf(0) + "/messages/1": 404} {
		if code, _, body := ask(t, "GET", srv.URL+"/api/v1/sessions/"+path, nil); code != want || object(t, body)["advice"] == "" {
			t.Errorf("%s: got %d %s, want %d and advice", path, code, body, want)
		}
	}
}

func TestAPIRaw(t *testing.T) {
	srv := served(t, engaged(t, recordOf(t, kinds()...)))
	_, _, body := ask(t, "GET", srv.URL+"/api/v1/sessions/"+idOf(0)+"/raw", nil)
	for _, want := range []string{
		"   -> EHLO app.local\n", "       -> STARTTLS\n", "   <- 220 smtp.example.com \\x1b[2Jready\n",
		"** <- 550-5.1.1 The account does not exist\n", "== edit: removed STARTTLS", "-> AUTH PLAIN ***\n", "(message of 12.3 kB",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("raw: got\n%s\nwant %q in it", body, want)
		}
	}
	_, _, body = ask(t, "GET", srv.URL+"/api/v1/sessions/"+idOf(4)+"/raw", nil)
	if strings.ContainsAny(strings.ReplaceAll(body, "\n", ""), "\x1b\a\x00\r") || strings.Contains(body, "\xff") || strings.ContainsRune(body, '\u202e') {
		t.Errorf("raw of hostile peers: got %q, want no control characters", body)
	}
}
