package main

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
	"smtp-proxy/inspect/web"
	"smtp-proxy/policy"
	"smtp-proxy/testenv"
)

// recordedOne sends one message and returns the session of it.
func (r *running) recordedOne(t *testing.T, a testenv.App) *inspect.Session {
	t.Helper()
	a.Addr = r.addr()
	if _, err := a.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.awaitSessions(t, 1)
	return r.latest(t)
}

// A replay from the page delivers nothing, and to others than the recorded
// recipients only where that was asked for, by name and twice.
func TestWebReplay(t *testing.T) {
	r := practicePage(t)
	s := r.recordedOne(t, testenv.App{To: []string{"bob@example.net", "550_5.1.1@example.net"}})
	path, delivered := "/sessions/"+s.ID+"/replay", 1
	for _, test := range []struct {
		name string
		form url.Values // nil asks for the page alone
		code int
		want []string
		sent []string // to whom a message goes
	}{
		{"the plan", nil, 200, []string{"RCPT TO:&lt;bob@example.net&gt;", "RSET", "a dry run ends the transaction", "smtp-proxy replay " + s.ID}, nil},
		{"a dry run", url.Values{}, 200, []string{"identical: 6 replies", "Nothing was delivered.", "recipient.unknown", "Recorded as"}, nil},
		{"a dry run elsewhere", url.Values{"upstream": {"sandbox"}}, 200, []string{"identical"}, nil},
		{"no confirmation", url.Values{"delivery": {"recorded"}}, 200, []string{"Deliver 1 message again?", "<li>bob@example.net</li>", "<li>550_5.1.1@example.net</li>"}, nil},
		{"no address", url.Values{"delivery": {"to"}}, 400, []string{"no address is named"}, nil},
		{"no such address", url.Values{"delivery": {"to"}, "to": {"me"}}, 400, []string{"is no address"}, nil},
		{"to me", url.Values{"delivery": {"to"}, "to": {"me@example.org"}}, 200, []string{"1 message delivered."}, []string{"me@example.org"}},
		{"confirmed", url.Values{"delivery": {"recorded"}, "sure": {"yes"}}, 200, []string{"1 message delivered.", "identical: 8 replies"}, []string{"bob@example.net"}},
		{"no route leads there", url.Values{"upstream": {"192.0.2.1:25"}}, 409, []string{"no route leads to 192.0.2.1:25"}, nil},
	} {
		var code int
		var body string
		if test.form == nil {
			code, _, body = r.get(t, path)
		} else {
			code, _, body = r.post(t, path, test.form)
		}
		if code != test.code {
			t.Errorf("%s: got %d, want %d:\n%s", test.name, code, test.code, body)
		}
		for _, text := range test.want {
			if !strings.Contains(body, text) {
				t.Errorf("%s: got no %q in\n%s", test.name, text, body)
			}
		}
		if test.sent != nil {
			delivered++
		}
		got := r.sandbox.Messages()
		if len(got) != delivered {
			t.Fatalf("%s: got %d messages delivered so far, want %d", test.name, len(got), delivered)
		}
		if to := slices.Compact(got[delivered-1].To); test.sent != nil && !slices.Equal(to, test.sent) {
			t.Errorf("%s: got it delivered to %v, want %v", test.name, to, test.sent)
		}
	}
}

// The comparison is on record as a session that names the first; the counters
// of the relay know nothing of it.
func TestWebReplayRecord(t *testing.T) {
	r := practicePage(t)
	s := r.recordedOne(t, testenv.App{})
	got, err := r.replays.Replay(t.Context(), web.ReplayRequest{Session: s.ID})
	if err != nil || !got.Identical || got.Delivered != 0 || got.Replay == "" {
		t.Fatalf("got %+v and %v, want it identical, recorded, and nothing delivered", got, err)
	}
	kept, err := r.store.Session(t.Context(), got.Replay)
	if err != nil || kept.Linked != s.ID {
		t.Errorf("got the session %+v and %v, want one that repeats %s", kept, err, s.ID)
	}
	series := `smtp_proxy_sessions_total{outcome="delivered",upstream="sandbox"}`
	if n := r.scrapeWhen(t, series, "1")[series]; n != "1" {
		t.Errorf("got %s sessions counted, want 1: a replay is no session of an app", n)
	}
}

// A session that signed in is played without, and the page says how to do it.
func TestWebReplaySignIn(t *testing.T) {
	r := practicePage(t)
	s := r.recordedOne(t, testenv.App{User: "me@example.com", Password: "never-kept"})
	_, _, body := r.get(t, "/sessions/"+s.ID+"/replay")
	if !strings.Contains(body, "signed in by PLAIN as me@example.com") || !strings.Contains(body, "--password-file") {
		t.Errorf("got nothing of the sign-in in\n%s", body)
	}
	if _, _, body = r.post(t, "/sessions/"+s.ID+"/replay", url.Values{}); !strings.Contains(body, "without the sign-in") {
		t.Errorf("got nothing of the sign-in that was left out in\n%s", body)
	}
}

// One session is played at a time, and none when the plant has ended.
func TestWebReplayBound(t *testing.T) {
	r := practicePage(t)
	s := r.recordedOne(t, testenv.App{})
	path := "/sessions/" + s.ID + "/replay"
	r.replays.turn <- struct{}{}
	code, h, body := r.post(t, path, url.Values{})
	if code != 503 || h.Get("Retry-After") == "" || !strings.Contains(body, "another session is being replayed") {
		t.Errorf("got %d and %v, want 503 and when to come again:\n%s", code, h, body)
	}
	<-r.replays.turn
	for id, want := range map[string]int{"01JD8Z6T9RWQ4V8C0M3K5N0000": 404, s.ID: 200} {
		if code, _, body := r.post(t, "/sessions/"+id+"/replay", url.Values{}); code != want {
			t.Errorf("%s: got %d, want %d:\n%s", id, code, want, body)
		}
	}
	if _, err := r.replays.Replay(t.Context(), web.ReplayRequest{Session: "none"}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v, want %v", err, store.ErrNotFound)
	}
	r.end()
	if _, err := r.replays.Replay(t.Context(), web.ReplayRequest{Session: s.ID}); !errors.Is(err, web.ErrBusy) {
		t.Errorf("after the end: got %v, want %v", err, web.ErrBusy)
	}
}

// A delivery that waits for a smarthost outlives whoever asked for it, and ends
// with the plant.
func TestWebReplayEndsWithThePlant(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c := policy.Defaults()
	c.Upstream, c.Probe = sandboxUpstream, "off"
	c.Routes = []policy.Route{{Name: "silent", Listen: "127.0.0.1:0", Upstream: l.Addr().String(), UpstreamTLS: "none"}}
	r := startPage(t, c, "")
	s := r.recordedOne(t, testenv.App{})
	asked, leave := context.WithCancel(t.Context())
	ended := make(chan web.ReplayResult, 1)
	go func() {
		got, err := r.replays.Replay(asked, web.ReplayRequest{Session: s.ID, Upstream: l.Addr().String(), To: []string{"me@example.com"}})
		if err != nil {
			t.Errorf("the replay: got %v, want none", err)
		}
		ended <- got
	}()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	leave()
	if _, err := conn.Write([]byte("220 here after all\r\n")); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.HasPrefix(line, "EHLO ") {
		t.Errorf("behind the greeting: got %q and %v, want the session to go on without its reader", line, err)
	}
	r.end()
	if got := <-ended; got.Verdict != "interrupted" || got.Delivered != 0 {
		t.Errorf("got %+v, want it interrupted", got)
	}
}
