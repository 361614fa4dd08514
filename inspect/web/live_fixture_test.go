package web

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

var dawn = time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)

// record is a store that tests write sessions into.
type record struct {
	*store.Store
	guest *store.Guest
	n     int
}

func newRecord(t testing.TB) *record {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	guest, err := store.OpenGuest(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(dir, store.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = s.Close(), guest.Close() })
	return &record{Store: s, guest: guest}
}

// add writes a session that ended; change may change it before.
func (r *record) add(t testing.TB, outcome inspect.Outcome, change func(*inspect.Session)) *inspect.Session {
	t.Helper()
	r.n++
	at := dawn.Add(time.Duration(r.n) * time.Second)
	v := &inspect.Session{
		ID: fmt.Sprintf("01JD%022d", r.n), Started: at, Ended: at.Add(120 * time.Millisecond), Route: "default", Outcome: outcome, Phase: "dot",
		App:      inspect.AppLeg{Addr: "127.0.0.1:53212", Helo: "app.local"},
		Upstream: inspect.UpstreamLeg{Name: "smtp.example.com:587", Addr: "192.0.2.10:587"},
		Messages: []inspect.Message{{From: "a@example.com", To: []inspect.Recipient{{Addr: "b@example.net", Code: 250}}, Code: 250}},
	}
	if outcome == inspect.Failed || outcome == inspect.Rejected {
		v.Findings = []inspect.Finding{{Cause: "recipient.unknown", Title: "The recipient does not exist"}}
	}
	if change != nil {
		change(v)
	}
	if err := r.guest.Import(context.Background(), v, nil); err != nil {
		t.Fatal(err)
	}
	return v
}

// newSite makes a site that looks into the record as often as it can.
func newSite(t testing.TB, o Options) *Site {
	t.Helper()
	o.Log = zerolog.Nop()
	if o.Now == nil {
		o.Now = func() time.Time { return dawn.Add(time.Hour) }
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.hub.every = time.Millisecond
	return s
}

func parsed(t testing.TB, text string) inspect.Filter {
	t.Helper()
	f, err := inspect.ParseFilter(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
