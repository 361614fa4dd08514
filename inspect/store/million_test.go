package store_test

import (
	"context"
	"flag"
	"testing"
	"time"

	"smtp-proxy/inspect/store"
	"smtp-proxy/testenv"
)

// How many sessions the record has that reading is measured on:
//
//	go test -run '^$' -bench Million ./inspect/store -args -sessions 1000000
var onRecord = flag.Int("sessions", 50_000, "of benchmarks: sessions on record")

// history is a record with a month of sessions.
func history(b *testing.B, n int) (*store.Store, *testenv.History) {
	b.Helper()
	began := time.Now()
	s, err := store.Open(b.TempDir(), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	h := &testenv.History{Sessions: n, Until: began, Span: 30 * 24 * time.Hour}
	if err := store.NewKeeper(s, store.KeeperOptions{Annotate: h.Findings}).Run(b.Context(), h); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d sessions recorded in %s", n, time.Since(began).Round(time.Millisecond))
	return s, h
}

// BenchmarkOverviewMillion sums up spans of a month's record. The target is
// 100 ms each with a million sessions.
func BenchmarkOverviewMillion(b *testing.B) {
	s, h := history(b, *onRecord)
	const day = 24 * time.Hour
	for _, span := range []struct {
		name           string
		length, within time.Duration // within: what the end is a whole one of
		columns        int
	}{
		{"1h", time.Hour, time.Minute, 60},
		{"24h", day, 30 * time.Minute, 48},
		{"7d", 7 * day, 3 * time.Hour, 56},
		{"30d", 30 * day, day, 30},
		{"30d/zone", 30 * day, time.Hour, 30},
	} {
		b.Run(span.name, func(b *testing.B) {
			until := h.Until.Truncate(span.within).Add(span.within)
			for b.Loop() {
				o, err := s.Overview(context.Background(), store.OverviewQuery{Since: until.Add(-span.length), Until: until, Columns: span.columns})
				if err != nil || len(o.Columns) != span.columns || len(o.Upstreams) != 3 {
					b.Fatalf("%d columns, %d upstreams, %v; want %d columns and 3 upstreams", len(o.Columns), len(o.Upstreams), err, span.columns)
				}
			}
		})
	}
	b.Run("totals", func(b *testing.B) {
		for b.Loop() {
			if t, err := s.Totals(context.Background()); err != nil || t.All != *onRecord {
				b.Fatalf("%d sessions, %v; want %d", t.All, err, *onRecord)
			}
		}
	})
	b.Run("size", func(b *testing.B) {
		for b.Loop() {
			if _, n, err := s.Size(context.Background()); err != nil || n != int64(*onRecord) {
				b.Fatalf("%d sessions, %v; want %d", n, err, *onRecord)
			}
		}
	})
}
