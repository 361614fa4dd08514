package store_test

import (
	"context"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// searches are filters of many kinds, and whether there must be something.
var searches = []struct {
	name, filter string
	found        bool
}{
	{"all", "", true},
	{"cause/common", "cause:recipient.unknown", true},
	{"cause/family", "cause:rate.*", true},
	{"cause/rare", "cause:sender.not-verified", true},
	{"cause/none", "cause:tls.expired", false},
	{"cause/glob", "cause:*.not-verified", true},
	{"to/common", "to:user0@example.net", true},
	{"to/rare", "to:user249000@example.net", true},
	{"to/none", "to:nobody@example.net", false},
	{"to/domain", "to:example.net", true},
	{"to/glob", "to:user24900*", true},
	{"from", "from:app6@example.com", true},
	{"code/class", "code:4xx", true},
	{"code/rare", "code:553", true},
	{"outcome", "outcome:rejected", true},
	{"upstream", "upstream:relay.example.net", true},
	{"two", "to:user7 cause:recipient.*", true},
	{"since", "since:2d outcome:rejected", true},
	{"not", "-outcome:delivered -cause:recipient.*", true},
}

// BenchmarkListMillion reads the first page of a month's record, the page
// behind it, and the counts beside it, for filters of many kinds. The target is
// 200 ms together with a million sessions.
func BenchmarkListMillion(b *testing.B) {
	s, _ := history(b, *onRecord)
	for _, search := range searches {
		f, err := inspect.ParseFilter(search.filter)
		if err != nil {
			b.Fatal(err)
		}
		var first store.Page
		b.Run(search.name+"/first", func(b *testing.B) {
			for b.Loop() {
				if first, err = s.Page(context.Background(), f, store.PageQuery{}); err != nil || search.found != (len(first.Sessions) > 0) {
					b.Fatalf("%s: %d sessions, %v; want some: %v", f, len(first.Sessions), err, search.found)
				}
			}
		})
		if first.Older {
			b.Run(search.name+"/next", func(b *testing.B) {
				for b.Loop() {
					p, err := s.Page(context.Background(), f, store.PageQuery{Before: first.Sessions[len(first.Sessions)-1].ID})
					if err != nil || len(p.Sessions) == 0 {
						b.Fatalf("%s: %d sessions, %v", f, len(p.Sessions), err)
					}
				}
			})
		}
		b.Run(search.name+"/tally", func(b *testing.B) {
			var t store.Tally
			for b.Loop() {
				if t, err = s.Tally(context.Background(), f, 10_000); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(t.All), "counted")
		})
	}
}

// BenchmarkTextMillion searches all a session says for as long as it may.
func BenchmarkTextMillion(b *testing.B) {
	s, _ := history(b, *onRecord)
	for name, text := range map[string]string{"common": "spam", "rare": `"not verified"`, "none": "nothing-says-this"} {
		f, err := inspect.ParseFilter(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			var p store.Page
			for b.Loop() {
				if p, err = s.Page(context.Background(), f, store.PageQuery{Within: 150 * time.Millisecond}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(p.Sessions)), "found")
			if !p.Reached.IsZero() {
				b.ReportMetric(time.Since(p.Reached).Hours(), "hours")
			}
		})
	}
}
