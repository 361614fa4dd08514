package web

import (
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
	"smtp-proxy/proxy/session"
)

// TestWaitsFor says for whom a running session waits.
func TestWaitsFor(t *testing.T) {
	s := &Site{Options: Options{Zone: time.UTC}}
	at := time.Date(2026, 11, 20, 3, 4, 5, 0, time.UTC)
	one := func(kind session.Kind, leg session.Side, from session.Origin) session.Entry {
		return session.Entry{At: at, Kind: kind, Leg: leg, From: from}
	}
	note := session.Entry{At: at.Add(time.Hour), Kind: session.KindNote}
	app, upstream := "it waits for the app since 03:04:05 UTC", "it waits for the upstream since 03:04:05 UTC"
	for _, test := range []struct {
		what string
		last session.Entry
		want string
	}{
		{"a reply", one(session.KindReply, session.Upstream, session.FromUpstream), app},
		{"a command", one(session.KindCommand, session.App, session.FromApp), upstream},
		{"a message", one(session.KindData, session.App, session.FromApp), upstream},
		{"a challenge", one(session.KindAuth, session.Upstream, session.FromUpstream), app},
		{"its answer", one(session.KindAuth, session.App, session.FromApp), upstream},
		{"a handshake with the app", one(session.KindTLS, session.App, session.FromProxy), app},
		{"a connection", one(session.KindOpen, session.Upstream, session.FromProxy), upstream},
		{"an end", one(session.KindClose, session.App, session.FromApp), ""},
	} {
		v := &inspect.Session{Events: []session.Entry{test.last, note}}
		if got := s.waits(v); got != test.want {
			t.Errorf("behind %s: got %q, want %q", test.what, got, test.want)
		}
		if v.Ended = at; s.waits(v) != "" {
			t.Errorf("behind %s: got %q of a session that has ended, want nothing", test.what, s.waits(v))
		}
	}
}

// TestRefusedFirst: no refused recipient is looked for in a fold.
func TestRefusedFirst(t *testing.T) {
	m := &inspect.Message{}
	for i := range mostRecipients + 5 {
		r := inspect.Recipient{Addr: string(rune('A'+i)) + "@example.net", Code: 250, Enhanced: "2.1.5", Text: "2.1.5 ok"}
		if i == mostRecipients+3 {
			r.Code, r.Enhanced, r.Text = 550, "5.1.1", "5.1.1 unknown"
		}
		m.To = append(m.To, r)
	}
	got := messageOf(1, m)
	if first := got.To[0]; first.Code != "550 5.1.1" || first.Text != "unknown" {
		t.Errorf("got %+v first, want the refused one, and its codes once", first)
	}
	if second := got.To[1].Addr; second != "A@example.net" {
		t.Errorf("got %s second, want A@example.net: the others as they were named", second)
	}
}

// TestUnreached claims nothing of a connection that was never made.
func TestUnreached(t *testing.T) {
	v := &inspect.Session{}
	if got, want := upstreamBrief(v), "none: it was not reached"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	v.Upstream.Addr = "192.0.2.1:25"
	if got, want := upstreamBrief(v), "none: in clear"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestTonesAlone: no rule of one page takes hold of a tone, which is a class
// on all of them.
func TestTonesAlone(t *testing.T) {
	list, err := files.ReadDir("static")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		text, err := files.ReadFile("static/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			for _, tone := range []string{".good", ".warn", ".bad", ".note", ".route"} {
				if strings.HasPrefix(line, tone+" {") {
					t.Errorf("static/%s: got a rule for all of %s, want it below a class of its page: %s", f.Name(), tone, line)
				}
			}
		}
	}
}

// TestIdle: who gave up is not who was waited for.
func TestIdle(t *testing.T) {
	open := session.Entry{Kind: session.KindOpen, Leg: session.Upstream}
	reply := session.Entry{Kind: session.KindReply, Leg: session.Upstream, From: session.FromUpstream}
	for _, test := range []struct {
		last session.Entry
		from session.Origin
		want string
	}{
		{open, session.FromApp, "waiting for the upstream"},
		{open, session.FromUpstream, "waiting for the upstream"},
		{reply, session.FromUpstream, "waiting for the app"},
		{session.Entry{Kind: session.KindClose}, session.FromApp, "nothing was said"},
	} {
		end := &session.Entry{Kind: session.KindClose, From: test.from}
		if got := awaited([]session.Entry{test.last}, end); got != test.want {
			t.Errorf("behind %s the %s left: got %q, want %q", test.last.Kind, test.from, got, test.want)
		}
	}
}

// TestSchedule says once what is repeated.
func TestSchedule(t *testing.T) {
	r := inspect.Retry{Schedule: []int{300, 600, 3600, 3600, 3600}}
	if got, want := schedule(r), "Tries, each after the one before: 5 minutes, 10 minutes, 60 minutes (3 times)"; got != want {
		t.Errorf("%v: got %q, want %q", r.Schedule, got, want)
	}
}

// TestWhy: an explanation of the length that explanations have is not folded.
func TestWhy(t *testing.T) {
	text := strings.Repeat("word ", 200)
	if got := why(text); got.Head != "" {
		t.Errorf("got an explanation of %d characters folded to %q, want it whole", len(text), got.Head)
	}
	if got := why(strings.Repeat(text, 10)); got.Head == "" {
		t.Errorf("got an explanation of %d characters whole, want it folded", 10*len(text))
	}
}

// TestWhen names no end of a span that has not come.
func TestWhen(t *testing.T) {
	now := time.Date(2026, 11, 20, 22, 40, 0, 0, time.UTC)
	v := overviewer{site: &Site{Options: Options{Zone: time.UTC, Now: func() time.Time { return now }}}, overview: store.Overview{Since: now.Add(-time.Hour), Until: now.Add(time.Minute)}}
	if got, want := v.when(), "Nov 20, 21:40 UTC until now"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	v.overview.Until = now
	if got, want := v.when(), "Nov 20, 21:40 to Nov 20, 22:40 UTC"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestThrough claims neither that a tunnel was empty nor that clear text was
// one.
func TestThrough(t *testing.T) {
	v := &inspect.Session{Passthrough: true}
	if got, want := mail(v), "No message was begun."; got != want || through(v) != nil {
		t.Errorf("without TLS: got %q, want %q", got, want)
	}
	v.Upstream.TLS = &session.TLS{Version: "TLS 1.3"}
	if got := mail(v); !strings.Contains(got, "was not read") {
		t.Errorf("under TLS: got %q, want that it was not read", got)
	}
	if got := appMark(v); got.Word != "1.3" || !strings.Contains(got.Title, "with each other") {
		t.Errorf("got %+v, want the version, and who made it", got)
	}
	v.App.TLS = &session.TLS{Version: "TLS 1.3", Error: "the app ended it with the alert 48"}
	if got := appMark(v); got.Tone != "bad" {
		t.Errorf("got %+v of a handshake that the app ended, want that it failed", got)
	}
	if mail(v) != "No message was begun." {
		t.Errorf("behind a failed handshake: got %q, want that none was begun", mail(v))
	}
}
