package web

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"smtp-proxy/inspect/store"
)

// FuzzValueTicks: an axis begins at nought, has the highest column on it, and
// few round numbers a step apart.
func FuzzValueTicks(f *testing.F) {
	for _, n := range []int{0, 1, 4, 5, 9, 10, 11, 21, 99, 1000, 123456, 1 << 40} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, most int) {
		if most < 0 || most > 1<<50 {
			return
		}
		marks := valueTicks(most)
		if len(marks) < 1 || len(marks) > 6 || marks[0] != 0 {
			t.Fatalf("%d: got %v", most, marks)
		}
		top, step := marks[len(marks)-1], valueStep(most)
		if top < most || most > 0 && top-step >= most || strings.Trim(fmt.Sprint(step), "0") != strings.TrimRight(fmt.Sprint(step), "0") || !strings.Contains("125", strings.TrimRight(fmt.Sprint(step), "0")) {
			t.Fatalf("%d: got %v in steps of %d", most, marks, step)
		}
	})
}

func TestTimeTicks(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	summer := time.Date(2026, 10, 27, 0, 0, 0, 0, berlin) // the clock went back on the 25th
	for name, test := range map[string]struct {
		until time.Time
		span  time.Duration
		zone  *time.Location
		want  string
	}{
		"an hour":             {at, time.Hour, time.UTC, "11:00 11:10 11:20 11:30 11:40 11:50"},
		"a day":               {at, oneDay, time.UTC, "12:00 16:00 20:00 Nov 20 04:00 08:00"},
		"a day, half an hour": {at, oneDay, time.FixedZone("", 19800), "20:00 Nov 20 04:00 08:00 12:00 16:00"},
		"a week":              {at, 7 * oneDay, time.UTC, "Nov 14 Nov 15 Nov 16 Nov 17 Nov 18 Nov 19 Nov 20"},
		"a month":             {at, 30 * oneDay, time.UTC, "Oct 26 Oct 31 Nov 5 Nov 10 Nov 15 Nov 20"},
		"days of 25 hours":    {summer, 4 * oneDay, berlin, "12:00 Oct 24 12:00 Oct 25 11:00 23:00 11:00"},
	} {
		var got []string
		for _, tick := range timeTicks(test.until.Add(-test.span), test.until, test.zone) {
			got = append(got, tick.Label)
		}
		if len(got) > mostTimeTicks || name != "days of 25 hours" && name != "a month" && strings.Join(got, " ") != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	days := momentsOf(summer.AddDate(0, 0, -6), summer, oneDay)
	for _, day := range days {
		if day.Hour() != 0 {
			t.Errorf("a mark of days stands at %s, want midnight", day)
		}
	}
	if len(days) != 6 {
		t.Errorf("got %d days, want 6", len(days))
	}
}

// TestSpansEnd has each span hold the moment now in its last column.
func TestSpansEnd(t *testing.T) {
	for _, at := range []time.Time{time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 20, 23, 59, 59, 999, time.UTC), time.Date(2026, 11, 20, 12, 34, 56, 0, time.FixedZone("", -12600))} {
		for _, v := range overviewSpans() {
			until := v.until(at)
			if !until.After(at) || until.Sub(at) > v.width() || v.width()*time.Duration(v.columns) != v.Length {
				t.Errorf("%s at %s: ends at %s with columns of %s", v.Name, at, until, v.width())
			}
		}
	}
}

func TestStepName(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	midnight := at.Add(-12 * time.Hour)
	for _, test := range []struct {
		since, until time.Time
		want         string
	}{
		{at, at.Add(time.Minute), "Nov 20, 12:00–12:01"},
		{at.Add(9 * time.Hour), at.Add(12 * time.Hour), "Nov 20, 21:00 – Nov 21, 00:00"},
		{midnight, midnight.Add(oneDay), "Fri, Nov 20"},
		{midnight, midnight.Add(3 * time.Hour), "Nov 20, 00:00–03:00"},
	} {
		if got := stepName(test.since, test.until); got != test.want {
			t.Errorf("%s to %s: got %q, want %q", test.since, test.until, got, test.want)
		}
	}
}

func TestSpark(t *testing.T) {
	for _, test := range []struct {
		counts []int
		empty  bool
	}{{nil, true}, {[]int{0, 0}, true}, {[]int{-3}, true}, {[]int{1}, false}, {[]int{0, 9, 0, 2}, false}} {
		got := spark(test.counts)
		if (got == "") != test.empty {
			t.Errorf("%v: got %q", test.counts, got)
		}
		if strings.ContainsAny(got, "e-+NI") {
			t.Errorf("%v: got %q, want plain numbers above the foot", test.counts, got)
		}
	}
}

// TestWaits places waits on the scale, in the order that they have.
func TestWaits(t *testing.T) {
	if waitsOf(nil) != nil {
		t.Error("there is a chart of no waits")
	}
	c := waitsOf([]store.Wait{
		{Verb: "", N: 5, P50: 2 * time.Millisecond, P95: 30 * time.Millisecond, P99: 400 * time.Millisecond},
		{Verb: "RCPT", N: 5000, P50: 70 * time.Microsecond, P95: 6 * time.Second, P99: 5 * time.Minute},
		{Verb: ".", N: 1}, {Verb: "tls", N: 1, P50: time.Second, P95: time.Second, P99: time.Second},
	})
	var names, ticks []string
	for _, r := range c.Rows {
		names = append(names, r.Name)
		if r.Slow != (r.Name == "RCPT") {
			t.Errorf("%s: slow is %v", r.Name, r.Slow)
		}
		for _, at := range []string{r.At50, r.At95, r.At99, r.Long, r.Tail} {
			var p float64
			if _, err := fmt.Sscanf(at, "%f%%", &p); err != nil || p < 0 || p > 100 {
				t.Errorf("%s: got the place %q", r.Name, at)
			}
		}
	}
	for _, tick := range c.Ticks {
		ticks = append(ticks, tick.Label)
	}
	if want := []string{"greeting", "RCPT", "end of data", "TLS handshake"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	if want := []string{"10 µs", "100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s", "1000 s"}; !slices.Equal(ticks, want) {
		t.Errorf("got marks %q, want %q", ticks, want)
	}
}

func TestRanked(t *testing.T) {
	for _, test := range []struct {
		n, before int
		want      string
	}{{5, 0, "▲ new"}, {5, 3, "▲ 2 more than the 3 before"}, {1200, 2400, "▼ 1,200 fewer than the 2,400 before"}, {3, 3, "= as many as before"}} {
		if got := trendOf(test.n, test.before); got.Glyph+" "+got.Word != test.want {
			t.Errorf("%d after %d: got %q, want %q", test.n, test.before, got, test.want)
		}
	}
	for _, test := range []struct {
		n, of int
		want  string
	}{{0, 0, ""}, {0, 9, "0 %"}, {9, 9, "100 %"}, {1, 100000, "< 0.1 %"}, {99999, 100000, "> 99.9 %"}, {199, 200, "99.5 %"}, {1, 3, "33 %"}, {1, 30, "3.3 %"}, {1999, 2000, "> 99.9 %"}} {
		if got := shareOf(test.n, test.of); got != test.want {
			t.Errorf("%d of %d: got %q, want %q", test.n, test.of, got, test.want)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "−1,234"} {
		if got := grouped(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestExpiry(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for days, want := range map[int]string{
		90: "✓ valid: 90 days left", 21: "✓ valid: 21 days left", 20: "! renew soon: 20 days left", 7: "! renew soon: 7 days left",
		6: "✕ renew now: 6 days left", 0: "✕ renew now: 0 days left", -3: "✕ expired: 3 days ago",
	} {
		e := expiryOf(now.AddDate(0, 0, days), now, time.UTC)
		if got := e.Glyph + " " + e.Word + ": " + e.Text; got != want {
			t.Errorf("%d days: got %q, want %q", days, got, want)
		}
	}
	if expiryOf(time.Time{}, now, time.UTC) != nil {
		t.Error("there is an end of no certificate")
	}
	for d, want := range map[time.Duration]string{-time.Hour: "just now", 59 * time.Second: "just now", 90 * time.Second: "1 min ago", 47 * time.Hour: "47 h ago", 49 * time.Hour: "2 days ago"} {
		if got := agoText(d); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
}

func TestThrottledWords(t *testing.T) {
	v := overviewer{site: &Site{Options: Options{Zone: time.UTC}}}
	since := time.Date(2026, 11, 20, 6, 5, 0, 0, time.UTC)
	for _, test := range []struct {
		t    *store.Throttled
		want string
	}{
		{nil, ""},
		{&store.Throttled{Since: since, Minutes: 1, Then: 1}, "refused in 1 of the minutes since 06:05, at 1 session a minute"},
		{&store.Throttled{Since: since, Minutes: 3, Then: 1250.4, Else: 12.34, Most: 30, AtOnce: 5}, "refused in 3 of the minutes since 06:05, at 1,250 sessions a minute; took 12 sessions a minute otherwise, 30 at most; 5 sessions open at the latest refusal"},
	} {
		if got := v.throttled(test.t); got != test.want {
			t.Errorf("%+v: got %q, want %q", test.t, got, test.want)
		}
	}
}

// TestPatterns has a pattern for each outcome that a column may show.
func TestPatterns(t *testing.T) {
	text, err := files.ReadFile("templates/page_overview.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range stacked() {
		if !strings.Contains(string(text), `<pattern id="o-`+string(o)+`"`) {
			t.Errorf("outcome %s has no pattern", o)
		}
	}
	_, defs, _ := strings.Cut(string(text), `{{define "overview-patterns"}}`)
	defs, _, _ = strings.Cut(defs, "{{end}}")
	if err := xml.Unmarshal([]byte("<defs>"+defs+"</defs>"), new(struct{})); err != nil {
		t.Errorf("the patterns are no XML: %v", err)
	}
}
