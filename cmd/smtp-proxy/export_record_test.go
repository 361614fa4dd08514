package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"smtp-proxy/inspect/store"
	"smtp-proxy/proxy/session"
)

// recordOf is a record on disk.
type recordOf struct {
	t    *testing.T
	dir  string
	info *session.Info
	next int
	all  []session.Record
}

func newRecord(t *testing.T) *recordOf {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return &recordOf{t: t, dir: t.TempDir(), info: &session.Info{
		ID: "01J00000000000000000000000", Started: began, Route: "default", AppAddr: "[2001:db8::1]:40000", Upstream: "mx.test:465",
	}}
}

func (r *recordOf) entry(e session.Entry) {
	r.next++
	e.Seq, e.At = r.next, r.info.Started.Add(time.Duration(r.next)*time.Millisecond)
	r.all = append(r.all, session.Record{Session: r.info, Entry: &e})
}

// begin opens both legs.
func (r *recordOf) begin() {
	r.entry(session.Entry{Leg: session.App, Kind: session.KindOpen})
	r.entry(session.Entry{Leg: session.Upstream, From: session.FromProxy, Kind: session.KindOpen, Dial: &session.Dial{
		Addr: "192.0.2.10:465", Local: "192.0.2.1:50000", Duration: 500 * time.Microsecond,
	}})
}

func (r *recordOf) app(verb, text string) {
	r.entry(session.Entry{Leg: session.App, From: session.FromApp, Kind: session.KindCommand, Verb: verb, Text: text})
}

func (r *recordOf) upstream(verb, text string) {
	code := 0
	fmt.Sscanf(text, "%d", &code)
	r.entry(session.Entry{Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindReply, Verb: verb, Code: code, Text: text})
}

// content is a message, or a chunk of one.
func (r *recordOf) content(verb, text, ending string) {
	if text != "" {
		r.all = append(r.all, session.Record{Session: r.info, Body: []byte(text)})
	}
	r.entry(session.Entry{Leg: session.App, From: session.FromApp, Kind: session.KindData, Verb: verb, Bytes: int64(len(text)), Text: ending})
}

// keep stores what came so far, as capture says.
func (r *recordOf) keep(capture string) {
	r.t.Helper()
	s, err := store.Open(r.dir, store.Options{})
	if err != nil {
		r.t.Fatal(err)
	}
	defer s.Close()
	end := r.info.Started.Add(time.Minute)
	r.all = append(r.all, session.Record{Session: r.info, Closed: true, At: end})
	if err := store.NewKeeper(s, store.KeeperOptions{Capture: capture}).Run(r.t.Context(), &batch{r.all}); err != nil && !errors.Is(err, io.EOF) {
		r.t.Fatal(err)
	}
}

// export runs the command.
func (r *recordOf) export(args ...string) (out, errs []byte, code int) {
	r.t.Helper()
	var o, e bytes.Buffer
	p := newProgram()
	p.stdout, p.stderr = &o, &e
	code = p.run(append([]string{"export", "latest", "--data", r.dir}, args...))
	return o.Bytes(), e.Bytes(), code
}

// batch is a source of one batch.
type batch struct{ all []session.Record }

// Next implements [store.Source].
func (b *batch) Next(context.Context) ([]session.Record, error) {
	all := b.all
	b.all = nil
	if all == nil {
		return nil, io.EOF
	}
	return all, nil
}
