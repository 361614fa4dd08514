package web

import (
	"context"
	"errors"
	"html"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
	"smtp-proxy/proxy/session"
)

// get asks a site for a page.
func get(t testing.TB, s *Site, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost"+path, nil))
	return w.Code, w.Body.String()
}

var rowID = regexp.MustCompile(`<tr id="s-([^"]*)"`)

// rowsIn are the ids of the rows of a page.
func rowsIn(page string) (ids []string) {
	for _, m := range rowID.FindAllStringSubmatch(page, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

// linkOf finds the address of a link by a text in it, its markup left out.
func linkOf(t testing.TB, page, text string) string {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?s)<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>`).FindAllStringSubmatch(page, -1) {
		if strings.Contains(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(m[2], ""), text) {
			return html.UnescapeString(m[1])
		}
	}
	t.Fatalf("no link has %q in it", text)
	return ""
}

func TestSessionsRow(t *testing.T) {
	r := newRecord(t)
	v := r.add(t, inspect.Rejected, func(v *inspect.Session) {
		v.Upstream.TLS = &session.TLS{Version: "TLS 1.3", Verified: true}
		v.Messages[0].To = append(v.Messages[0].To, inspect.Recipient{Addr: "c@example.net"}, inspect.Recipient{Addr: "d@example.net"}, inspect.Recipient{Addr: "e@example.net"})
		v.Findings = append(v.Findings, inspect.Finding{Cause: "relay.denied"})
	})
	_, page := get(t, newSite(t, Options{Store: r.Store}), "/")
	for _, want := range []string{
		`href="/sessions/` + v.ID + `"`, `datetime="2026-11-21T06:00:01.000000Z"`, "06:00:01", "app.local", "a@example.com", "b@example.net", "and 3 more",
		"end of data", "rejected", "recipient.unknown", `title="The recipient does not exist"`, "+1", "clear", "1.3", "120 ms",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if t.Failed() {
		t.Log(page)
	}
}

// TestSessionsHostile has every text of a session try to be markup.
func TestSessionsHostile(t *testing.T) {
	r := newRecord(t)
	const evil = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[2J\x00\u202e{{.}}"
	for range 50 {
		r.add(t, inspect.Failed, func(v *inspect.Session) {
			long := strings.Repeat(evil, 20)
			v.Route, v.Phase = long, session.Phase(evil)
			v.App, v.Upstream = inspect.AppLeg{Addr: long, Helo: long}, inspect.UpstreamLeg{Name: long, Addr: long, TLS: &session.TLS{Version: long, Cipher: long, Error: long, Verify: "other"}}
			v.Messages = []inspect.Message{{From: long, Subject: long, To: []inspect.Recipient{{Addr: long}, {Addr: long}}}, {From: long}}
			v.Findings = []inspect.Finding{{Cause: long, Title: long}, {Cause: long}}
		})
	}
	s := newSite(t, Options{Store: r.Store, Setup: func() Setup { return Setup{Routes: []SetupRoute{{Name: evil, Upstream: evil}}} }})
	for _, path := range []string{"/", "/?q=" + strings.ReplaceAll(`%22%3Cscript%3Ealert(1)%3C/script%3E%22`, " ", "+"), "/?q=%3Cscript%3E:x"} {
		_, page := get(t, s, path)
		for _, bad := range []string{"<script>", "<img", "onerror=alert(1)>\x1b", "\x1b", "\x00", "\u202e", "{{"} {
			if strings.Contains(strings.ReplaceAll(page, "{{.}}", ""), bad) {
				t.Errorf("%s: the page has %q in it", path, bad)
			}
		}
		if path == "/" && (len(rowsIn(page)) != 50 || len(page) >= 100_000) {
			t.Errorf("%d rows take %d octets, want 50 in fewer than 100,000", len(rowsIn(page)), len(page))
		}
	}
}

func TestSessionsPages(t *testing.T) {
	r := newRecord(t)
	var all []string
	for range 120 {
		all = append([]string{r.add(t, inspect.Delivered, nil).ID}, all...)
	}
	s := newSite(t, Options{Store: r.Store})
	same := func(what, page string, want []string) {
		t.Helper()
		if got := rowsIn(page); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: got %d rows %v, want %v", what, len(got), got, want)
		}
		if len(page) >= 100_000 {
			t.Errorf("%s takes %d octets, want fewer than 100,000", what, len(page))
		}
	}
	_, first := get(t, s, "/?q=outcome%3Adelivered")
	same("the first page", first, all[:50])
	_, second := get(t, s, linkOf(t, first, "Older"))
	same("the second page", second, all[50:100])
	_, third := get(t, s, linkOf(t, second, "Older"))
	same("the third page", third, all[100:])
	if strings.Contains(third, "Older") {
		t.Error("the last page leads to older sessions")
	}
	_, back := get(t, s, linkOf(t, third, "Newer"))
	same("back on the second page", back, all[50:100])
	_, newest := get(t, s, linkOf(t, third, "Newest"))
	same("the newest again", newest, all[:50])
	if code, _ := get(t, s, "/?before=01NONE"); code != 404 {
		t.Errorf("before a session that is not on record: got %d, want 404", code)
	}
}

func TestSessionsFacets(t *testing.T) {
	r := newRecord(t)
	for range 3 {
		r.add(t, inspect.Delivered, nil)
	}
	for range 2 {
		r.add(t, inspect.Rejected, nil)
	}
	r.add(t, inspect.Failed, func(v *inspect.Session) { v.Findings[0].Cause = "connect.refused" })
	s := newSite(t, Options{Store: r.Store})
	_, page := get(t, s, "/?q=to%3Aexample.net")
	for text, want := range map[string]string{
		"delivered 3": "/?q=to%3Aexample.net+outcome%3Adelivered", "rejected 2": "/?q=to%3Aexample.net+outcome%3Arejected",
		"recipient.unknown 2": "/?q=to%3Aexample.net+cause%3Arecipient.unknown", "connect.refused 1": "/?q=to%3Aexample.net+cause%3Aconnect.refused",
	} {
		if got := linkOf(t, page, text); got != want {
			t.Errorf("%s leads to %s, want %s", text, got, want)
		}
	}
	_, page = get(t, s, linkOf(t, page, "rejected 2"))
	if n := len(rowsIn(page)); n != 2 {
		t.Errorf("behind rejected there are %d sessions, want 2", n)
	}
	if got := linkOf(t, page, "rejected 2"); got != "/?q=to%3Aexample.net" {
		t.Errorf("rejected leads to %s when it is in the filter, want it taken out", got)
	}
	if got := linkOf(t, page, "failed 1"); got != "/?q=to%3Aexample.net+outcome%3Afailed" {
		t.Errorf("failed leads to %s, want it in place of rejected", got)
	}
	if strings.Contains(page, "connect.refused <b>") {
		t.Error("the causes of failed sessions are counted where rejected ones are selected")
	}
}

func TestSessionsFilterMistake(t *testing.T) {
	s := newSite(t, Options{Store: newRecord(t).Store})
	for query, want := range map[string]string{
		"causes%3Atls.*": "unknown key &#34;causes&#34;: use one of app, before, cause", "outcome%3Abroken": "use one of delivered, partial",
		"%22two+words": "has no end", strings.Repeat("x", 1001): "longer than 1000 characters",
	} {
		code, page := get(t, s, "/?q="+query)
		if code != 400 || !strings.Contains(page, want) || !strings.Contains(page, `aria-invalid="true"`) {
			t.Errorf("q=%s: got %d, want 400 and %q beside the box\n%s", query, code, want, page)
		}
	}
}

// TestSessionsEmpty has the list say why nothing is in it.
func TestSessionsEmpty(t *testing.T) {
	setup := func() Setup {
		return Setup{Routes: []SetupRoute{{
			Name: "default", Hosts: []string{"localhost (127.0.0.1 or ::1)"}, Addrs: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1025")}, Port: "1025",
			TLS: "none: the proxy itself secures the way", Upstream: "smtp.example.com:587", Container: "host.docker.internal:1025",
		}}}
	}
	r := newRecord(t)
	s := newSite(t, Options{Store: r.Store, Setup: setup})
	_, page := get(t, s, "/")
	for _, want := range []string{"Waiting for the first session", `id="host-1">localhost</span>`, "(127.0.0.1 or ::1)", "1025", "host.docker.internal:1025",
		"swaks --server 127.0.0.1:1025", "a real message through smtp.example.com:587", "data-first", `data-live="/live?after=0"`} {
		if !strings.Contains(page, want) {
			t.Errorf("before the first session the page has no %q\n%s", want, page)
		}
	}
	r.add(t, inspect.Delivered, nil)
	if _, page = get(t, s, "/?q=outcome%3Afailed"); !strings.Contains(page, "No session matches") {
		t.Errorf("a filter that selects nothing: the page does not say so\n%s", page)
	}
	if _, page = get(t, s, "/"); strings.Contains(page, "Waiting for") || len(rowsIn(page)) != 1 {
		t.Errorf("with a session on record: got rows %v", rowsIn(page))
	}
	code, page := get(t, newSite(t, Options{Setup: setup, Troubles: func() []string { return []string{"the record cannot be opened: \x1bdisk full"} }}), "/")
	if code != 200 || !strings.Contains(page, "No record is kept") || !strings.Contains(page, "--data DIR") || !strings.Contains(page, "disk full") {
		t.Errorf("without a record: got %d, want the page to say so, and what is wrong\n%s", code, page)
	}
}

// TestTries writes commands for each way that the app's leg is secured.
func TestTries(t *testing.T) {
	for tls, want := range map[string][3]string{
		"none: x":                {"--server 127.0.0.1:25 --from", "smtp://127.0.0.1:25 --mail-from", `smtplib.SMTP("127.0.0.1", 25); s.sendmail`},
		"STARTTLS; trust":        {"127.0.0.1:25 --tls --from", "smtp://127.0.0.1:25 --ssl-reqd", "s.starttls(); "},
		"SSL/TLS from the start": {"--tls-on-connect", "smtps://127.0.0.1:25 ", "smtplib.SMTP_SSL("},
	} {
		tries := triesOf(SetupRoute{TLS: tls, Port: "25", Addrs: []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:25")}})
		for i, try := range tries {
			if !strings.Contains(try.Command, want[i]) {
				t.Errorf("TLS %q: got %s, want %q in it", tls, try.Command, want[i])
			}
		}
	}
}

// TestLongAgo shows the day of what is not of today.
func TestLongAgo(t *testing.T) {
	s := newSite(t, Options{})
	if r := s.rowOf(&inspect.Session{Started: dawn.AddDate(0, 0, -1)}); r.Day != "Nov 20" || !r.Open {
		t.Errorf("of yesterday: got day %q, open %v; want Nov 20, open", r.Day, r.Open)
	}
	if r := s.rowOf(&inspect.Session{Started: dawn.Add(-time.Hour)}); r.Day != "" {
		t.Errorf("of today: got day %q, want none", r.Day)
	}
}

// TestTallyTooLong has counting that took too long not be tried again by each
// page, and a reader who leaves spoil nothing for others.
func TestTallyTooLong(t *testing.T) {
	r := newRecord(t)
	r.add(t, inspect.Delivered, nil)
	s := newSite(t, Options{Store: r.Store})
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := s.tally(gone, parsed(t, "")); !errors.Is(err, context.Canceled) {
		t.Errorf("for a reader who has gone: got %v, want %v", err, context.Canceled)
	}
	if c, err := s.tally(t.Context(), parsed(t, "")); err != nil || c.All != 1 {
		t.Errorf("for the next reader: got %d, %v; want 1 session", c.All, err)
	}
	s.tallies.of("outcome:failed").last = keptTally{err: context.DeadlineExceeded, until: time.Now().Add(time.Minute)}
	if _, page := get(t, s, "/?q=outcome%3Afailed"); !strings.Contains(page, "Counting takes too long") {
		t.Errorf("the page does not say that counting takes too long\n%s", page)
	}
}

// TestSearchedTo goes on where the time for searching was up, to the
// microsecond.
func TestSearchedTo(t *testing.T) {
	at := dawn.Add(123456 * time.Microsecond)
	f := parsed(t, "cause:tls.* before:1h")
	for _, test := range []struct {
		q    wanted
		want string
	}{
		{wanted{filter: f}, "/?q=cause%3Atls.%2A+before%3A%222026-11-21t06%3A00%3A00.123456z%22"},
		{wanted{filter: parsed(t, "since:2d"), PageQuery: store.PageQuery{After: "01A"}}, "/?q=since%3A%222026-11-21t06%3A00%3A00.123456z%22"},
	} {
		got := searchedTo(at, test.q, time.UTC)
		if !strings.EqualFold(got.GoOn, test.want) || got.Stamp != "2026-11-21 06:00:00.123 UTC" {
			t.Errorf("searched for %q: got %s, %s; want %s", test.q.filter, got.GoOn, got.Stamp, test.want)
		}
		_, text, _ := strings.Cut(got.GoOn, "q=")
		text, err := url.QueryUnescape(text)
		if err != nil {
			t.Fatal(err)
		}
		terms := parsed(t, text).Terms()
		if moment := terms[len(terms)-1].Moment(dawn); !moment.Equal(at) {
			t.Errorf("%q means %v, want %v", text, moment, at)
		}
	}
	if got := searchedTo(time.Time{}, wanted{}, time.UTC); got != (searched{}) {
		t.Errorf("when there was time: got %+v, want nothing", got)
	}
}

func TestHostOf(t *testing.T) {
	for words, want := range map[string][2]string{
		"localhost (127.0.0.1 or ::1)": {"localhost", " (127.0.0.1 or ::1)"}, "127.0.0.1": {"127.0.0.1", ""}, "192.0.2.1|::1": {"192.0.2.1", " or ::1"},
		"localhost, or this machine's name or address": {"localhost", ", or this machine's name or address"},
		"this machine's name or address":               {"", "this machine's name or address"}, "": {"", ""},
	} {
		if host, rest := hostOf(strings.Split(words, "|")); host != want[0] || rest != want[1] {
			t.Errorf("of %q: got %q and %q, want %q", words, host, rest, want)
		}
	}
}
