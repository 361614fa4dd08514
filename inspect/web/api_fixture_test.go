package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/inspect/store"
	"smtp-proxy/inspect/web"
	"smtp-proxy/proxy/session"
)

// idOf is the id of the n-th session of a test.
func idOf(n int) string { return fmt.Sprintf("01JD8Z6T9RWQ4V8C0M3K5N%04d", n) }

// dotted is a message as it is sent, and plain as it was composed.
const (
	dotted = "Subject: dots\r\n\r\n..\r\n...\r\nend.\r\n"
	plain  = "Subject: dots\r\n\r\n.\r\n..\r\nend.\r\n"
)

// carried is a session whose message went by DATA or BDAT.
func carried(verb string) *inspect.Session {
	t := newTale(inspect.Delivered)
	t.say("MAIL FROM:<me@example.com>")
	t.hear(session.FromUpstream, "250 2.1.0 OK")
	t.say("RCPT TO:<you@example.net>")
	t.hear(session.FromUpstream, "250 2.1.5 OK")
	if verb == "DATA" {
		t.say("DATA")
		t.hear(session.FromUpstream, "354 go ahead")
		t.add(session.Entry{Kind: session.KindData, From: session.FromApp, Verb: ".", Phase: session.PhaseDot, Bytes: int64(len(dotted))})
		t.verb = "."
	} else {
		t.say("BDAT " + fmt.Sprint(len(dotted)) + " LAST")
		t.add(session.Entry{Kind: session.KindData, From: session.FromApp, Verb: "BDAT", Phase: session.PhaseDot, Bytes: int64(len(dotted))})
	}
	t.hear(session.FromUpstream, "250 2.0.0 queued")
	t.Messages = []inspect.Message{{From: "me@example.com", To: []inspect.Recipient{{Addr: "you@example.net", Code: 250}}, Size: int64(len(dotted)), Subject: "dots", Code: 250, Captured: "full"}}
	return t.Session
}

// hostile is a session whose peers say what they should not.
func hostile() *inspect.Session {
	t := newTale(inspect.Rejected)
	bad := "\x1b]0;owned\a<script>alert(1)</script>\u202e\xff\x00\r\ndata: {}\n\nevent: x"
	t.App.Helo = bad
	t.say("EHLO " + bad)
	t.hear(session.FromUpstream, "550 "+bad)
	t.Messages = []inspect.Message{{From: bad, Subject: bad, Text: bad, To: []inspect.Recipient{{Addr: bad, Code: 550, Text: bad}}}}
	t.Codes = []string{"550"}
	return t.Session
}

// kinds are sessions of each kind that a record has, the oldest first.
func kinds() []*inspect.Session {
	list := []*inspect.Session{refused(), unreached(), carried("DATA"), carried("BDAT"), hostile(), newTale(inspect.NoMail).Session, newTale(inspect.Aborted).Session}
	for i, v := range list {
		v.ID, v.Linked = idOf(i), ""
		by := time.Duration(i) * time.Minute
		v.Started, v.Ended = v.Started.Add(by), v.Ended.Add(by)
		for j := range v.Events {
			v.Events[j].At = v.Events[j].At.Add(by)
		}
	}
	return list
}

// recordOf is a store with sessions in it.
func recordOf(t testing.TB, list ...*inspect.Session) *store.Store {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	bring(t, dir, list...)
	return opened(t, dir)
}

func opened(t testing.TB, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(dir, store.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// bring imports sessions; each message is dotted.
func bring(t testing.TB, dir string, list ...*inspect.Session) {
	t.Helper()
	guest, err := store.OpenGuest(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer guest.Close()
	for _, v := range list {
		err := guest.Import(context.Background(), v, func(_ context.Context, n int) (io.ReadCloser, error) {
			if v.Messages[n].Captured != "full" {
				return nil, store.ErrNoBody
			}
			return io.NopCloser(strings.NewReader(dotted)), nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// known is read once: it does not change.
var known = sync.OnceValues(rules.Load)

// engaged are the options of a site over a store with all its parts.
func engaged(t testing.TB, s *store.Store) web.Options {
	t.Helper()
	set, err := known()
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return noon.Add(time.Hour) }
	return web.Options{
		Store: s, Rules: set, Explainer: diagnose.New(set, diagnose.Options{Now: now}),
		Checker: worker{}, Replayer: worker{}, Exporter: worker{}, Now: now, Log: zerolog.Nop(), Zone: time.UTC,
	}
}

// posted sends a body of a type.
func posted(kind, body string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Content-Type", kind)
		r.Body = io.NopCloser(strings.NewReader(body))
	}
}

// object reads an answer.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("got %q, want an object in JSON: %v", text, err)
	}
	return o
}
