package web_test

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/inspect/store"
	"smtp-proxy/inspect/web"
	"smtp-proxy/testenv"
)

// How many sessions the pages are measured with:
//
//	go test -run '^$' -bench Pages ./inspect/web -args -sessions 1000000
var onRecord = flag.Int("sessions", 100_000, "of benchmarks: sessions on record")

// largest is what a list may weigh, in octets.
const largest = 100_000

// BenchmarkPages measures the pages that read the whole record. The target is
// 200 ms each with a million sessions, on two cores.
func BenchmarkPages(b *testing.B) {
	site, h := recorded(b)
	newest := h.Until.Format(time.RFC3339)
	for _, page := range []struct{ name, path string }{
		{"first", "/"},
		{"cause/common", "/?q=cause%3Arecipient.unknown"},
		{"cause/rare", "/?q=cause%3Asender.not-verified"},
		{"cause/family", "/?q=cause%3Arate.*"},
		{"recipient/common", "/?q=to%3A" + h.Recipient(0)},
		{"recipient/rare", "/?q=to%3A" + h.Recipient(200_001)},
		{"recipient/none", "/?q=to%3Anobody%40example.org"},
		{"sender", "/?q=from%3Aapp6%40example.com"},
		{"code", "/?q=code%3A554"},
		{"outcome", "/?q=outcome%3Arejected"},
		{"overview/day", "/overview?span=24h"},
		{"overview/month", "/overview?span=30d"},
	} {
		b.Run(page.name, func(b *testing.B) {
			for b.Loop() {
				w := httptest.NewRecorder()
				r := httptest.NewRequest(http.MethodGet, page.path, nil)
				r.Host = "localhost"
				site.ServeHTTP(w, r)
				if w.Code != http.StatusOK || w.Body.Len() > largest {
					b.Fatalf("%s: status %d, %d octets, want 200 and %d at most (newest %s)\n%.300s", page.path, w.Code, w.Body.Len(), largest, newest, w.Body)
				}
				b.ReportMetric(float64(w.Body.Len())/1000, "kB")
			}
		})
	}
}

// recorded makes a site with a month on record.
func recorded(b *testing.B) (http.Handler, *testenv.History) {
	b.Helper()
	began := time.Now()
	s, err := store.Open(b.TempDir(), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	h := &testenv.History{Sessions: *onRecord, Until: began, Span: 30 * 24 * time.Hour}
	if err := store.NewKeeper(s, store.KeeperOptions{Annotate: h.Findings}).Run(b.Context(), h); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d sessions recorded in %s", *onRecord, time.Since(began).Round(time.Millisecond))
	set, err := rules.Load()
	if err != nil {
		b.Fatal(err)
	}
	site, err := web.New(web.Options{Store: s, Rules: set, Explainer: diagnose.New(set, diagnose.Options{})})
	if err != nil {
		b.Fatal(err)
	}
	return site, h
}
