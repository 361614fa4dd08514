package testenv_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream/replay"
)

// rerun is the real relay, and a record of its sessions with the octets of
// their messages.
type rerun struct {
	*proxy.Server
	rec   *proxy.Recorder
	roots []byte // the authority of the app's leg
	addr  string
	ends  sync.WaitGroup
	ended chan *taped
}

// taped is one session of it.
type taped struct {
	entries []session.Entry
	bodies  [][]byte
}

// startRerun runs a relay that is set up as the fault says.
func startRerun(t *testing.T, f *testenv.Fault) *rerun {
	t.Helper()
	authority, err := proxy.EphemeralAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r := &rerun{rec: proxy.NewRecorder(), roots: authority.CertPEM(), ended: make(chan *taped, 10)}
	r.Server, err = proxy.New(proxy.Options{Routes: []proxy.Route{loopRoute(t, f, authority)}, Recorder: r.rec, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Listen(); err != nil {
		t.Fatal(err)
	}
	r.addr = r.Addrs()[0].String()
	r.ends.Go(func() { _ = r.Serve(context.Background()) })
	r.ends.Go(r.keep)
	t.Cleanup(r.stop)
	return r
}

func (r *rerun) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_ = r.Shutdown(ctx)
	r.rec.Close()
	r.ends.Wait()
}

// keep puts the sessions together, as the keeper of a store does.
func (r *rerun) keep() {
	open := map[string]*taped{}
	for {
		batch, err := r.rec.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return
		}
		for _, one := range batch {
			s := open[one.Session.ID]
			if s == nil {
				s = &taped{}
				open[one.Session.ID] = s
			}
			s.add(one)
			if one.Closed {
				r.ended <- s
			}
		}
	}
}

func (s *taped) add(r session.Record) {
	switch {
	case r.Entry != nil:
		s.entries = append(s.entries, *r.Entry)
		if r.Entry.Kind == session.KindCommand && r.Entry.Verb == "MAIL" {
			s.bodies = append(s.bodies, nil)
		}
	case len(r.Body) > 0:
		last := len(s.bodies) - 1
		s.bodies[last] = append(s.bodies[last], r.Body...)
	}
}

// next waits for a session to end.
func (r *rerun) next(t *testing.T) *taped {
	t.Helper()
	select {
	case s := <-r.ended:
		return s
	case <-within(t).Done():
		t.Fatal("a session did not end")
		return nil
	}
}

// recording is the session as it comes out of a store.
func (s *taped) recording() replay.Recording {
	return replay.Recording{
		ID: "recorded", Entries: s.entries,
		Captured: func(int) string { return "full" },
		Body: func(_ context.Context, n int) (io.ReadCloser, error) {
			if n >= len(s.bodies) {
				return nil, replay.ErrNoBody
			}
			return io.NopCloser(bytes.NewReader(s.bodies[n])), nil
		},
	}
}

// play plays a recording into the relay and waits for the end of its session.
func (r *rerun) play(t *testing.T, rec replay.Recording, o replay.Options) replay.Result {
	t.Helper()
	o.TLS = testenv.Trust(r.roots)
	script, err := rec.Script(o)
	if err != nil {
		t.Fatalf("script: %v", err)
	}
	app, end := connected(t)
	r.Take(end, 0, rec.ID)
	return script.Play(within(t), app, o)
}

// connected returns the two ends of a connection.
func connected(t *testing.T) (app, end net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if app, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if end, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	return app, end
}

// told is a result for a person who wonders.
func told(r replay.Result, s *taped) string {
	var b strings.Builder
	for _, step := range r.Steps {
		fmt.Fprintf(&b, "%-40q %v %q | %q %s\n", step.Command, step.Same, step.Recorded, step.Now, step.Why)
	}
	for _, not := range r.NotSent {
		fmt.Fprintf(&b, "not sent: %q\n", not)
	}
	fmt.Fprintf(&b, "reached %s of %s, delivered %d, %v\nthe record:\n", r.Reached, r.Recorded, r.Delivered, r.Err)
	for _, e := range s.entries {
		fmt.Fprintf(&b, "%d %s %s %s %s %q %s %v\n", e.Seq, e.Leg, e.From, e.Kind, e.Verb, e.Text, e.Odd, e.Fault)
	}
	return b.String()
}

// rerunCase is a session that is recorded and played again.
type rerunCase struct {
	name string
	app  testenv.App
	auth *replay.Credentials

	pace    bool   // it is tried with the recorded pauses, too
	notSent string // of everything, when all of it may be delivered
}

// record runs the case's app through a relay of its own.
func (c rerunCase) record(t *testing.T, f *testenv.Fault) *taped {
	t.Helper()
	r := startRerun(t, f)
	app := c.app
	app.Addr, app.Config, app.Patience = r.addr, testenv.Trust(r.roots), 10*time.Second
	_, _ = app.Send(within(t)) // that a session ends badly may be what is recorded
	return r.next(t)
}

// check records the case, plays it again in each way and compares.
func (c rerunCase) check(t *testing.T, f *testenv.Fault, box *testenv.Mailbox) {
	t.Helper()
	s := c.record(t, f)
	before := len(box.Messages())
	c.same(t, f, s, replay.Options{})
	if c.pace {
		c.same(t, f, s, replay.Options{Pace: true})
	}
	if n := len(box.Messages()); n != before {
		t.Fatalf("%s: a dry run delivered %d messages", c.name, n-before)
	}
	c.same(t, f, s, replay.Options{Deliver: true})
	c.wantMessages(t, box.Messages(), before)
	after := len(box.Messages())
	c.same(t, f, s, replay.Options{To: []string{"me@example.org"}})
	for _, m := range box.Messages()[after:] {
		if got := strings.Join(m.To, " "); strings.ReplaceAll(got, "me@example.org", "") != strings.Repeat(" ", len(m.To)-1) {
			t.Errorf("%s: delivered to %s, want me@example.org alone", c.name, got)
		}
	}
}

// same plays a record and demands that nothing is different.
func (c rerunCase) same(t *testing.T, f *testenv.Fault, s *taped, o replay.Options) {
	t.Helper()
	r := startRerun(t, f)
	o.Auth = c.auth
	got := r.play(t, s.recording(), o)
	if to := len(o.To) > 0; !to && (!got.Identical() || got.Reached != got.Recorded) {
		t.Errorf("%s: with %+v not identical:\n%s", c.name, o, told(got, s))
	}
	if o.Deliver && strings.Join(got.NotSent, "; ") != c.notSent {
		t.Errorf("%s: not sent %q, want %q", c.name, got.NotSent, c.notSent)
	}
	r.next(t)
	r.stop()
}

// wantMessages demands that the second half of the messages is the first.
func (c rerunCase) wantMessages(t *testing.T, all []testenv.Message, recorded int) {
	t.Helper()
	then, now := all[:recorded], all[recorded:]
	if len(now) != len(then) {
		t.Fatalf("%s: delivered %d messages, then %d", c.name, len(now), len(then))
	}
	for i := range then {
		if !bytes.Equal(then[i].Data, now[i].Data) || strings.Join(then[i].To, " ") != strings.Join(now[i].To, " ") {
			t.Errorf("%s: message %d is another now: %q to %q, then %q to %q", c.name, i, now[i].Data, now[i].To, then[i].Data, then[i].To)
		}
	}
}

// Everything that an app may rightly say, with TLS on either leg, both or none:
// played again it gets the same answers, delivers nothing unless it is told to,
// and the same octets then.
func TestDialoguesReplayTheSame(t *testing.T) {
	t.Parallel()
	byName := map[string]setting{}
	var names []string
	for _, upstreamTLS := range []string{"none", "auto", "implicit"} {
		for _, appTLS := range []testenv.AppTLS{testenv.AppPlain, testenv.AppSTARTTLS, testenv.AppImplicit} {
			s := setting{persona: "postfix", upstreamTLS: upstreamTLS, appTLS: appTLS}
			names = append(names, s.String())
			byName[s.String()] = s
		}
	}
	eachAtOnce(t, names, func(t *testing.T, name string) {
		how := byName[name]
		for n, dialogue := range readDialogues(t) {
			usual := how.upstreamTLS+string(how.appTLS) == "auto"
			if !usual && n%3 != len(name)%3 {
				continue
			}
			c := rerunCase{pace: usual, name: name + "/" + dialogue.name, app: dialogue.app, auth: &replay.Credentials{User: "app", Password: "abcdefghijklmnop"}}
			if dialogue.name == "another mechanism first" {
				c.notSent = "AUTH NTLM: it was refused then, and credentials are tried once"
			}
			c.app.TLS = how.appTLS
			c.app.Script = how.beginning() + dialogue.app.Script
			host := newSmarthost(t, testenv.SmarthostOptions{Implicit: how.upstreamTLS == "implicit"})
			f := &testenv.Fault{Upstream: host.Addr(), Roots: host.Roots()}
			f.Relay.UpstreamTLS = how.upstreamTLS
			f.Relay.AppTLS = map[testenv.AppTLS]string{testenv.AppSTARTTLS: "offer", testenv.AppImplicit: "implicit"}[how.appTLS]
			c.check(t, f, host.Mailbox)
		}
	})
}

// beginning is what the app's script says before a dialogue.
func (s setting) beginning() string {
	begin := "<- 220*\n"
	if s.appTLS == testenv.AppSTARTTLS {
		begin += hello + "-> STARTTLS\n<- 220*\n! tls\n"
	}
	return begin
}
