package web_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
	"smtp-proxy/inspect/web"
)

// month is sessions of all outcomes, the nearer to noon the more, some of them
// on the edge of a column and some before and behind all spans.
func month() []*inspect.Session {
	outcomes := []inspect.Outcome{inspect.Delivered, inspect.Delivered, inspect.Partial, inspect.Rejected, inspect.Failed, inspect.Aborted, inspect.NoMail}
	var list []*inspect.Session
	for n := range 220 {
		ago := time.Duration(n*n) * time.Minute // 33 days at last
		if n%5 == 0 {
			ago = ago.Truncate(30 * time.Minute)
		}
		v := told(n, noon.Add(-ago+time.Duration(n%3)*time.Microsecond), outcomes[n%len(outcomes)])
		if v.Outcome == inspect.Rejected || v.Outcome == inspect.Failed {
			v.Findings = []inspect.Finding{{Cause: []string{"recipient.unknown", "message.spam", "rate.messages"}[n%3], Title: "refused"}}
			v.Codes = []string{"550 5.1.1"}
		}
		if n%4 == 0 {
			v.Upstream.Name = "relay.example.net:25"
		}
		list = append(list, v)
	}
	return append(list, told(9000, noon.Add(3*24*time.Hour), inspect.Delivered))
}

// overviewOf is the address of the overview of a record, at noon.
func overviewOf(t *testing.T, zone *time.Location, list ...*inspect.Session) string {
	t.Helper()
	now := func() time.Time { return noon.Add(90 * time.Second) }
	dir := filepath.Join(t.TempDir(), "data")
	guest, err := store.OpenGuest(dir, store.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	defer guest.Close()
	for _, v := range list {
		if err := guest.Import(t.Context(), v, nil); err != nil {
			t.Fatal(err)
		}
	}
	s, err := store.Open(dir, store.Options{ReadOnly: true, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	o, _ := knowing(t)
	o.Store, o.Zone, o.Now = s, zone, now
	return served(t, o).URL + "/overview"
}

// TestOverviewColumns follows every column and every part of one: its link
// selects exactly the sessions that it counts.
func TestOverviewColumns(t *testing.T) {
	list := month()
	for name, zone := range map[string]*time.Location{"UTC": time.UTC, "half an hour off": time.FixedZone("IST", 5*3600+1800), "west": time.FixedZone("PST", -8*3600)} {
		address := overviewOf(t, zone, list...)
		for _, query := range []string{"?span=1h", "", "?span=7d", "?span=30d", "?span=30d&upstream=relay.example.net:25"} {
			code, _, page := ask(t, "GET", address+query, nil)
			if code != 200 {
				t.Fatalf("%s: got status %d\n%s", query, code, page)
			}
			wantTidy(t, query, page)
			columns, whole := chartOf(t, page), 0
			if len(columns) < 2 {
				t.Errorf("%s %s: got %d columns with sessions, want more", name, query, len(columns))
			}
			for _, c := range columns {
				whole += wantCounted(t, name+" "+query, list, c)
			}
			all := attributesOf(t, between(page, `<ul class="totals">`, "</ul>"), "a", "href")
			if n := selected(t, list, all[0]); n != whole {
				t.Errorf("%s %s: %d sessions in all, the columns lead to %d", name, query, n, whole)
			}
		}
	}
}

// wantCounted returns how many sessions a column leads to.
func wantCounted(t *testing.T, where string, list []*inspect.Session, c drawn) int {
	t.Helper()
	n, parts := selected(t, list, c.whole), 0
	if want := leadingNumber(c.text); n != want {
		t.Errorf("%s: the column %q leads to %d sessions by %s", where, c.text, n, c.whole)
	}
	for _, link := range c.parts {
		n := selected(t, list, link)
		parts += n
		if n == 0 {
			t.Errorf("%s: a part of %q leads to no session by %s", where, c.text, link)
		}
	}
	if parts != n {
		t.Errorf("%s: the parts of %q lead to %d sessions", where, c.text, parts)
	}
	return n
}

func between(text, begin, end string) string {
	_, text, _ = strings.Cut(text, begin)
	text, _, _ = strings.Cut(text, end)
	return text
}

// leadingNumber is the count in "Nov 20, 12:00–12:30: 3 sessions, …".
func leadingNumber(text string) int {
	_, counts, _ := strings.Cut(text, ": ")
	digits, _, _ := strings.Cut(counts, " ")
	n, _ := strconv.Atoi(strings.ReplaceAll(digits, ",", ""))
	return n
}

// selected counts the sessions that a link to the list selects.
func selected(t *testing.T, list []*inspect.Session, link string) (n int) {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil || u.Path != "/" {
		t.Fatalf("%q is no link to the list: %v", link, err)
	}
	f, err := inspect.ParseFilter(u.Query().Get("q"))
	if err != nil {
		t.Fatalf("%q: %v", link, err)
	}
	for _, v := range list {
		if f.Match(v) {
			n++
		}
	}
	return n
}

// drawn is one column of the chart.
type drawn struct {
	text, whole string
	parts       []string
}

// chartOf reads the chart as XML, which it has to be.
func chartOf(t *testing.T, page string) (columns []drawn) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(chartText(t, page)))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return columns
		}
		if err != nil {
			t.Fatalf("the chart is no XML: %v\n%s", err, chartText(t, page))
		}
		e, ok := token.(xml.StartElement)
		if !ok || e.Name.Local != "a" {
			continue
		}
		a := map[string]string{}
		for _, attr := range e.Attr {
			a[attr.Name.Local] = attr.Value
		}
		if a["class"] == "every" {
			columns = append(columns, drawn{text: a["aria-label"], whole: a["href"]})
			continue
		}
		last := &columns[len(columns)-1]
		last.parts = append(last.parts, a["href"])
	}
}

func chartText(t *testing.T, page string) string {
	t.Helper()
	at, end := strings.Index(page, `<svg class="plot"`), strings.Index(page, "<figcaption>")
	if at < 0 || end < at {
		t.Fatalf("there is no chart in\n%s", page)
	}
	return page[at:end]
}

// TestOverviewDrawings reads every drawing of the page as XML.
func TestOverviewDrawings(t *testing.T) {
	address := overviewOf(t, time.UTC, month()...)
	_, _, page := ask(t, "GET", address, nil)
	n := 0
	for rest := page; ; n++ {
		at := strings.Index(rest, "<svg")
		if at < 0 {
			break
		}
		d := xml.NewDecoder(strings.NewReader(rest[at:]))
		if err := d.Decode(new(struct{})); err != nil {
			t.Fatalf("%v in\n%.400s", err, rest[at:])
		}
		rest = rest[at+int(d.InputOffset()):]
	}
	if n < 8 {
		t.Errorf("got %d drawings, want the chart, a swatch for each outcome, and more", n)
	}
}

func TestOverviewNumbers(t *testing.T) {
	list := month()
	address := overviewOf(t, time.UTC, list...)
	_, _, page := ask(t, "GET", address+"?span=30d", nil)
	rows := between(page, `class="rank"`, "</table>")
	for _, want := range []string{"/causes/recipient.unknown", "There is no mailbox", "%", `class="spark"`, "▲"} {
		if !strings.Contains(rows, want) {
			t.Errorf("got no %q among the causes\n%s", want, rows)
		}
	}
	for _, table := range []string{rows, between(page, `class="codes"`, "</table>")} {
		followed := 0
		for row := range strings.SplitSeq(table, "<tr>") {
			_, link, ok := strings.Cut(row, `<td class="n"><a href="`)
			if !ok {
				continue
			}
			link, label, _ := strings.Cut(link, `" aria-label="`)
			want, _, _ := strings.Cut(label, " ")
			if n := selected(t, list, html.UnescapeString(link)); strconv.Itoa(n) != want {
				t.Errorf("%s leads to %d sessions, want %s", link, n, want)
			}
			followed++
		}
		if followed == 0 {
			t.Errorf("no number leads anywhere in\n%s", table)
		}
	}
	cards := between(page, `id="upstreams"`, "</main>")
	for _, want := range []string{"smtp.example.com:587", "relay.example.net:25", "Last good", "Last failed", "/sessions/01JD", "refused in"} {
		if !strings.Contains(cards, want) {
			t.Errorf("got no %q on the cards of upstreams\n%s", want, cards)
		}
	}
	for _, link := range attributesOf(t, cards, "a", "href") {
		if strings.HasPrefix(link, "/?q=") && selected(t, list, link) == 0 {
			t.Errorf("%s leads to no session", link)
		}
	}
}

// TestOverviewHostile has peers and settings that are called what they should
// not be.
func TestOverviewHostile(t *testing.T) {
	names := []string{
		`"><script>alert(1)</script>`, `x" onload="alert(1)`, "a b:25", "new\nline", "nul\x00l", "\x1b[2J", "\u202eder", `back\slash"quote`, "</title></svg><b id=boo>", "ünï.example:25", "-dash", "{{.}}", "javascript:alert(1)",
	}
	var list []*inspect.Session
	for n, name := range names {
		v := told(n, noon.Add(-time.Duration(n)*time.Minute), inspect.Rejected)
		v.Upstream.Name, v.Upstream.Provider = name, name
		v.Findings = []inspect.Finding{{Cause: name, Title: name, Changed: []string{name}}}
		v.Codes = []string{name}
		list = append(list, v)
	}
	address := overviewOf(t, time.UTC, list...)
	pages := []string{""}
	for _, name := range names {
		pages = append(pages, "?upstream="+url.QueryEscape(name))
	}
	for i, query := range pages {
		code, _, page := ask(t, "GET", address+query, nil)
		if code != 200 {
			t.Fatalf("%q: got status %d", query, code)
		}
		wantTidy(t, query, page)
		for _, bad := range []string{"<script>alert", "<b id=boo", "\x1b", "\x00", "\u202e", `x" onload`} {
			if strings.Contains(page, bad) {
				t.Errorf("%q: the page has %q as it came", query, bad)
			}
		}
		for _, c := range chartOf(t, page) {
			if n := selected(t, list, c.whole); i > 0 && (n != 1 || leadingNumber(c.text) != 1) {
				t.Errorf("%q: the column %q leads to %d sessions by %s, want 1", names[i-1], c.text, n, c.whole)
			}
		}
	}
}

func TestOverviewWithoutSessions(t *testing.T) {
	address := overviewOf(t, time.UTC)
	for query, want := range map[string]string{"": "No session began", "?span=30d": "No session began", "?upstream=nobody": "all upstreams", "?span=2h": "there is no overview of 2h", "?span=%3Cb%3E": "&lt;b&gt;"} {
		code, _, page := ask(t, "GET", address+query, nil)
		if !strings.Contains(page, want) || code != 200 && !strings.Contains(query, "span=2h") && !strings.Contains(query, "%3C") {
			t.Errorf("%q: got status %d and no %q in\n%s", query, code, want, page)
		}
		wantTidy(t, query, page)
		for _, absent := range []string{"<figure", `class="rank"`, "NaN", "Inf"} {
			if strings.Contains(page, absent) {
				t.Errorf("%q: got %q on a page without sessions", query, absent)
			}
		}
	}
	srv := served(t, web.Options{})
	if code, _, page := ask(t, "GET", srv.URL+"/overview", nil); code != 404 || !strings.Contains(page, "--data") {
		t.Errorf("without a record: got status %d, want 404 and what to do", code)
	}
}

// TestOverviewWeight keeps the page light where there is much to draw.
func TestOverviewWeight(t *testing.T) {
	outcomes := []inspect.Outcome{inspect.Delivered, inspect.Partial, inspect.Rejected, inspect.Failed, inspect.Aborted, inspect.NoMail}
	var list []*inspect.Session
	for n := range 60 * len(outcomes) {
		v := told(n, noon.Add(time.Minute-time.Duration(n/len(outcomes))*time.Minute), outcomes[n%len(outcomes)])
		v.Upstream.Name = fmt.Sprintf("smtp%d.example.com:587", n%25)
		v.Findings = []inspect.Finding{{Cause: fmt.Sprintf("some.cause-%d", n%20), Title: "a title"}}
		list = append(list, v)
	}
	address := overviewOf(t, time.UTC, list...)
	_, _, page := ask(t, "GET", address+"?span=1h", nil)
	if len(page) > 200_000 {
		t.Errorf("got %d octets, want 200,000 at most", len(page))
	}
	if !strings.Contains(page, "the others") || !strings.Contains(page, "8 more kinds of failure") {
		t.Errorf("the page does not say what it leaves out")
	}
}
