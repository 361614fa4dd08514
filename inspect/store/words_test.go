package store

import (
	"testing"

	"smtp-proxy/inspect"
)

// BenchmarkWords posts the words of a session whose like began in the same
// second.
func BenchmarkWords(b *testing.B) {
	v := &inspect.Session{ID: "01A", Started: start, Route: "default", Outcome: inspect.Delivered}
	v.App = inspect.AppLeg{Addr: "127.0.0.1:40000", Helo: "app.example.com"}
	v.Upstream = inspect.UpstreamLeg{Name: "smtp.example.com:587", Addr: "192.0.2.1:587"}
	w := newSessionWords()
	c := columns{alike: alike{outcome: "delivered", route: v.Route, upstream: v.Upstream.Name, codes: ""}, mail: "<a@example.com\nb@example.net"}
	b.ReportAllocs()
	for b.Loop() {
		w.session(keyAt(start), &c, v)
	}
}
