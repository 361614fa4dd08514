package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"smtp-proxy/inspect/web"
)

// player plays nothing, and tells what a smarthost might have said.
type player struct {
	worker
	played *[]web.ReplayRequest
}

const rude = "\x1b[2J</td><script>x</script>\u202e"

func (player) Plan(_ context.Context, r web.ReplayRequest) (web.ReplayPlan, error) {
	if r.Deliver && r.Upstream == "headers-only" {
		return web.ReplayPlan{}, errors.New("the message was not kept; " + rude)
	}
	return web.ReplayPlan{
		Session: r.Session, Target: "smtp.example.com:587", Sends: [][]string{{"EHLO " + rude}, {"MAIL FROM:<>", "RCPT TO:<a@example.net>"}},
		NotSent: []string{"DATA: " + rude}, Recipients: []string{"a@example.net", rude + "@example.net"}, Messages: 2, SignIn: "it signed in as " + rude,
		Command: "smtp-proxy replay " + r.Session,
	}, nil
}

func (p player) Replay(_ context.Context, r web.ReplayRequest) (web.ReplayResult, error) {
	*p.played = append(*p.played, r)
	out := web.ReplayResult{Session: r.Session, Target: "smtp.example.com:587", Verdict: "1 of 32 replies differs: " + rude, Replay: idOf(7), Notes: []string{rude},
		Steps: []web.ReplayStep{{Recorded: "250-first\n250-second\n250 third", Now: "", Why: rude, Command: "EHLO a"}}}
	for i := range 30 {
		out.Steps = append(out.Steps, web.ReplayStep{Command: fmt.Sprintf("RCPT TO:<%d@example.net>", i), Recorded: "250 OK", Now: "250 OK", Same: true, MS: 1.5})
	}
	out.Steps = append(out.Steps, web.ReplayStep{Command: ".", Recorded: rude, Now: rude, Same: true})
	out.Added = []web.ReplayAdded{{Command: "RSET", Now: "250 " + rude}}
	return out, nil
}

func replaySite(t *testing.T) (at string, played *[]web.ReplayRequest) {
	t.Helper()
	v := hostile()
	v.ID = idOf(1)
	o := engaged(t, recordOf(t, v))
	played = new([]web.ReplayRequest)
	o.Replayer = player{played: played}
	o.Setup = func() web.Setup { return web.Setup{Routes: []web.SetupRoute{{Name: rude, Upstream: rude}}} }
	return served(t, o).URL + "/sessions/" + v.ID + "/replay", played
}

// What a session and a smarthost say is text, whatever it is.
func TestReplayShowsText(t *testing.T) {
	at, _ := replaySite(t)
	_, _, plan := ask(t, "GET", at+"?upstream="+url.QueryEscape(rude), nil)
	sure := read(t, form(t, t.Context(), at, url.Values{"delivery": {"recorded"}, "upstream": {rude}}))
	done := read(t, form(t, t.Context(), at, url.Values{"upstream": {rude}}))
	lacks := read(t, form(t, t.Context(), at, url.Values{"delivery": {"recorded"}, "upstream": {"headers-only"}}))
	for name, body := range map[string]string{"plan": plan, "confirmation": sure, "result": done, "refusal": lacks} {
		if strings.Contains(body, "<script>x") || strings.Contains(body, "\x1b[2J</td>") || !strings.Contains(body, "&lt;script&gt;") {
			t.Errorf("%s: want what was said as text:\n%s", name, body)
		}
	}
	for _, want := range []string{"29 commands more, answered alike", "2 lines more", "no reply", "end of the message", "1.5 ms", `href="/sessions/` + idOf(7) + `"`, "</span> added"} {
		if !strings.Contains(done, want) {
			t.Errorf("got no %q in\n%s", want, done)
		}
	}
	if !strings.Contains(lacks, `role="alert"`) || !strings.Contains(lacks, "What will be sent") {
		t.Errorf("want the mistake and the plan of a dry run:\n%s", lacks)
	}
}

// Nothing is played before it was asked for in full.
func TestReplayAsked(t *testing.T) {
	at, played := replaySite(t)
	for _, test := range []struct {
		form url.Values
		want string // the request that is played; empty for none
	}{
		{url.Values{"delivery": {"recorded"}}, ""},
		{url.Values{"delivery": {"recorded"}, "sure": {"no"}}, ""},
		{url.Values{"delivery": {"to"}, "to": {" , "}}, ""},
		{url.Values{"delivery": {"nonsense"}, "to": {"a@example.com"}}, "[] false"},
		{url.Values{"to": {"a@example.com"}, "sure": {"yes"}}, "[] false"},
		{url.Values{"delivery": {"to"}, "to": {"a@example.com, b@example.com"}}, "[a@example.com b@example.com] false"},
		{url.Values{"delivery": {"recorded"}, "sure": {"yes"}}, "[] true"},
	} {
		*played = nil
		form(t, t.Context(), at, test.form)
		got := ""
		if len(*played) > 0 {
			r := (*played)[0]
			got = fmt.Sprint(r.To, r.Deliver)
		}
		if got != test.want || len(*played) > 1 {
			t.Errorf("%v: got %q played, want %q", test.form, got, test.want)
		}
	}
	*played = nil
	ask(t, "GET", at+"?delivery=recorded&sure=yes", nil)
	if len(*played) != 0 {
		t.Errorf("got %v played by a link, want nothing", *played)
	}
}

// Without a record, a session or somebody who plays there is a word on it.
func TestReplayLacking(t *testing.T) {
	s := recordOf(t)
	for _, test := range []struct {
		name string
		o    web.Options
		code int
	}{
		{"no record", web.Options{Replayer: worker{}}, 404}, {"no player", web.Options{Store: s}, 503}, {"no session", web.Options{Store: s, Replayer: worker{}}, 404},
	} {
		srv := served(t, test.o)
		if code, _, body := ask(t, "GET", srv.URL+"/sessions/latest/replay", nil); code != test.code || !strings.Contains(body, "</html>") {
			t.Errorf("%s: got %d, want %d and a page:\n%s", test.name, code, test.code, body)
		}
	}
}
