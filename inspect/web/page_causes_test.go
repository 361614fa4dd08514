package web_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/testenv"
)

// TestCausePages opens the page of each cause of the catalogue.
func TestCausePages(t *testing.T) {
	o, set := knowing(t)
	srv := served(t, o)
	faults, err := testenv.Faults()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range set.Causes() {
		code, _, page := ask(t, "GET", srv.URL+"/causes/"+c.ID, nil)
		if code != 200 || !strings.Contains(page, c.ID) || !strings.Contains(page, "What to do") {
			t.Errorf("%s: got status %d, want 200 and its page", c.ID, code)
		}
		wantTidy(t, c.ID, page)
		if strings.Contains(page, "&lt;no value&gt;") || strings.Contains(page, "{host}") {
			t.Errorf("%s: a place was not filled:\n%s", c.ID, page)
		}
		offered := strings.Contains(page, "sandbox --cause "+c.ID)
		if want := slices.Contains(faults, c.ID); offered != want {
			t.Errorf("%s: the page offers the sandbox: %v, want %v", c.ID, offered, want)
		}
	}
}

func TestCauseKnowsRules(t *testing.T) {
	o, _ := knowing(t)
	_, _, page := ask(t, "GET", served(t, o).URL+"/causes/auth.app-password-required", nil)
	for _, want := range []string{"Gmail", "invalidsecondfactor", "gmail/", "retry", "/causes/auth.bad-credentials"} {
		if !strings.Contains(strings.ToLower(page), strings.ToLower(want)) {
			t.Errorf("got no %q in\n%s", want, page)
		}
	}
}

func TestCauseUnknown(t *testing.T) {
	o, _ := knowing(t)
	srv := served(t, o)
	for id, near := range map[string]string{
		"tls.certificate-expird": "/causes/tls.certificate-expired", "auth.requird": "/causes/auth.required", "connect.required": "/causes/tls.required",
		"<script>alert(1)</script>": "", strings.Repeat("z", 2000): "", "..%2f..": "",
	} {
		code, _, page := ask(t, "GET", srv.URL+"/causes/"+url.PathEscape(id), nil)
		if code != 404 || !strings.Contains(page, "There is no cause") {
			t.Errorf("%.40q: got status %d, want 404", id, code)
		}
		if near != "" && !strings.Contains(page, `Did you mean`) || near != "" && !strings.Contains(page, `href="`+near+`"`) {
			t.Errorf("%.40q: got no link to %s in\n%s", id, near, page)
		}
		if strings.Contains(page, "<script>alert") {
			t.Errorf("%.40q: the id became markup", id)
		}
		wantTidy(t, "unknown cause", page)
	}
}

// TestCausesSearch looks for words; all of them must stand somewhere.
func TestCausesSearch(t *testing.T) {
	o, set := knowing(t)
	srv := served(t, o)
	for query, want := range map[string]struct {
		least, most int
		cause       string
	}{
		"":                   {len(set.Causes()), len(set.Causes()), "proxy.loop"},
		"tls.":               {20, 30, "tls.required"},
		"EXPIRED":            {2, 20, "tls.certificate-expired"},
		"gmail app password": {1, 3, "auth.app-password-required"},
		"after-fix operator": {20, 60, "relay.denied"},
		"zebra":              {0, 0, ""},
		`"><script>`:         {0, 0, ""},
	} {
		code, _, page := ask(t, "GET", srv.URL+"/causes?q="+url.QueryEscape(query), nil)
		n := strings.Count(page, "data-words=")
		if code != 200 || n < want.least || n > want.most {
			t.Errorf("%q: got status %d with %d causes, want 200 with %d to %d", query, code, n, want.least, want.most)
		}
		if want.cause != "" && !strings.Contains(page, `href="/causes/`+want.cause+`"`) {
			t.Errorf("%q: got no %s", query, want.cause)
		}
		if n == 1 != strings.Contains(page, "1 cause<") || strings.Contains(page, "data-none hidden") != (n > 0) {
			t.Errorf("%q: the page does not say that it has %d causes", query, n)
		}
		wantTidy(t, "search", page)
	}
}

// TestCausesFamilies has each family named and explained.
func TestCausesFamilies(t *testing.T) {
	o, set := knowing(t)
	_, _, page := ask(t, "GET", served(t, o).URL+"/causes", nil)
	for _, c := range set.Causes() {
		if !strings.Contains(page, `id="family-`+c.Family()+`"`) || strings.Contains(page, c.Family()+` <span class="quiet"></span>`) {
			t.Errorf("family %s is not there, or nothing is said about it", c.Family())
		}
	}
}

// told is a session of which little is known.
func told(n int, at time.Time, outcome inspect.Outcome) *inspect.Session {
	v := newTale(outcome).Session
	v.ID, v.Started, v.Ended = idOf(n), at, at.Add(time.Second)
	return v
}

func spammed(n int) *inspect.Session {
	v := told(n, noon.Add(time.Duration(n)*time.Second), inspect.Rejected)
	v.Findings = []inspect.Finding{{Cause: "message.spam", Title: "spam"}}
	return v
}

// TestCauseSeen counts on the record.
func TestCauseSeen(t *testing.T) {
	o, _ := knowing(t)
	var list []*inspect.Session
	for n := range 3 {
		list = append(list, spammed(n))
	}
	o.Store = recordOf(t, append(list, told(3, noon, inspect.Delivered))...)
	srv := served(t, o)
	for path, want := range map[string]string{
		"/causes/message.spam":     `<a href="/?q=cause:message.spam">3 sessions</a>`,
		"/causes/message.virus":    "no session has it",
		"/causes?q=message.spam":   "3 sessions</a>",
		"/causes?q=message.virus":  "1 cause<",
		"/causes/message.too-larg": "message.too-large",
	} {
		if _, _, page := ask(t, "GET", srv.URL+path, nil); !strings.Contains(page, want) {
			t.Errorf("%s: got no %q in\n%s", path, want, page)
		}
	}
}
