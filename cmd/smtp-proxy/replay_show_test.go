package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream/replay"
)

// greylisted is a replay whose second recipient is taken now.
func greylisted() *played {
	ms := time.Millisecond
	return &played{
		recorded: &inspect.Session{ID: "01JD", Started: noon, Upstream: inspect.UpstreamLeg{Name: "mx.example.net:25"}, Messages: []inspect.Message{{Captured: "full", Code: 451}}},
		now:      &inspect.Session{ID: "01JE", Upstream: inspect.UpstreamLeg{Name: "mx.example.net:25", Addr: "192.0.2.1:25"}},
		again:    "01JD", target: "mx.example.net:25", kept: true,
		result: replay.Result{
			Recorded: session.PhaseRcpt, Reached: session.PhaseRcpt,
			NotSent: []string{"DATA: a dry run ends the transaction behind its last RCPT"},
			Steps: []replay.Step{
				{Recorded: "220 mx.example.net ESMTP", Now: "220 mx.example.net ESMTP", Same: true, RecordedWait: 12 * ms, Wait: 1500 * ms},
				{Command: "EHLO app.example", Recorded: "250-mx.example.net\n250-PIPELINING\n250 SIZE 10240000", Now: "250-mx.example.net\n250 SIZE 10240000\n250 PIPELINING", Same: true, RecordedWait: ms, Wait: 2 * ms},
				{Command: "RCPT TO:<bob@example.net>", Recorded: "451 4.7.1 <bob@example.net>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/example.net.html",
					Now: "250 2.1.5 Ok", Why: "451 4.7.1 then, 250 2.1.5 now", RecordedWait: 40 * ms, Wait: 3 * ms},
				{Command: "RSET", Now: "250 2.0.0 Ok", Same: true, Own: true, Wait: ms},
				{Command: "QUIT", Recorded: "221 2.0.0 Bye", Why: "no reply came now", RecordedWait: ms},
			},
		},
	}
}

// spiteful is a replay in which the peers send what drives terminals.
func spiteful() *played {
	s := greylisted()
	const evil = "\x1b[2J\x07\u202e"
	s.result.Steps = []replay.Step{{Command: "NOOP " + evil, Recorded: "250 " + evil + strings.Repeat("x", 80), Now: "550 " + evil, Why: evil}}
	s.result.NotSent = []string{evil}
	s.result.Err = errors.New(evil)
	s.recorded.Upstream.Name, s.target = evil, evil
	return s
}

func TestReplayShown(t *testing.T) {
	for name, test := range map[string]struct {
		width   int
		colored bool
		of      *played
	}{
		"wide":     {100, false, greylisted()},
		"narrow":   {60, false, greylisted()},
		"plain":    {0, false, greylisted()},
		"colored":  {100, true, greylisted()},
		"spiteful": {80, false, spiteful()},
	} {
		var b bytes.Buffer
		v := comparison{transcript: transcript{screen: screen{zone: time.UTC, width: test.width, color: test.colored}, now: atNoon}, flags: " --data d"}
		v.session(&b, test.of)
		path := filepath.Join("testdata", "replays", name+".txt")
		if *update {
			if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
		for i, line := range strings.Split(b.String(), "\n") {
			if !test.colored && test.width > 0 && strings.HasPrefix(line, "    ") && columns(line) > test.width {
				t.Errorf("%s: line %d takes %d columns, want at most %d: %q", name, i+1, columns(line), test.width, line)
			}
		}
	}
}

// The code and the last line of a replay.
func TestReplayVerdict(t *testing.T) {
	same, other := replay.Step{Command: "NOOP", Same: true}, replay.Step{Command: "MAIL FROM:<a@example.com>", Why: "250 then, 451 now"}
	own := replay.Step{Command: "RSET", Same: true, Own: true}
	for _, test := range []struct {
		result replay.Result
		code   ended
		want   string
	}{
		{replay.Result{Steps: []replay.Step{same}}, 0, "identical: 1 reply"},
		{replay.Result{Steps: []replay.Step{same, own, same}, Delivered: 1}, 0, "identical: 2 replies; 1 message delivered"},
		{replay.Result{Steps: []replay.Step{same, other}}, 1, "1 of 2 replies differs: MAIL FROM:<a@example.com>: 250 then, 451 now"},
		{replay.Result{Steps: []replay.Step{other, other, own}, Delivered: 2}, 1, "2 of 2 replies differ, first: MAIL FROM:<a@example.com>: 250 then, 451 now; 2 messages delivered"},
		{replay.Result{Steps: []replay.Step{same}, Err: errors.New("read: EOF")}, 1, "another end than the recording's: read: EOF"},
	} {
		s := &played{result: test.result}
		if got := s.verdict(); got != test.want || s.code(t.Context()) != test.code {
			t.Errorf("%+v: got %q and %d, want %q and %d", test.result, got, s.code(t.Context()), test.want, test.code)
		}
	}
}

// A sign-in that is left out was not repeated: where the recording ended with
// it, there is nothing identical.
func TestReplayVerdictWithoutSignIn(t *testing.T) {
	same := []replay.Step{{Command: "EHLO app.example", Same: true}}
	other := []replay.Step{{Command: "EHLO app.example", Why: "no longer offers DSN"}}
	given := replay.Options{Auth: &replay.Credentials{User: "me"}}
	for _, test := range []struct {
		accepted bool
		options  replay.Options
		recorded session.Phase
		steps    []replay.Step
		code     ended
		want     string
	}{
		{false, replay.Options{}, session.PhaseHelo, same, exitAuth, notTried},
		{false, replay.Options{}, session.PhaseHelo, other, 1, "1 of 1 reply differs: EHLO app.example: no longer offers DSN"},
		{false, replay.Options{}, session.PhaseRcpt, same, 0, "identical: 1 reply, without the sign-in"},
		{true, replay.Options{}, session.PhaseHelo, same, 0, "identical: 1 reply, without the sign-in"},
		{false, given, session.PhaseHelo, same, 0, "identical: 1 reply"},
	} {
		s := &played{
			recorded: &inspect.Session{Auth: &inspect.Auth{Accepted: test.accepted}}, options: test.options,
			result: replay.Result{Steps: test.steps, Recorded: test.recorded, Reached: test.recorded},
		}
		if got := s.verdict(); got != test.want || s.code(t.Context()) != test.code || s.object().Identical != (test.code == 0) {
			t.Errorf("%+v: got %q and %d, identical %t, want %q and %d", test, got, s.code(t.Context()), s.object().Identical, test.want, test.code)
		}
	}
}

// What is proposed goes the way that was gone, and says what gets past where it
// ended.
func TestReplayNext(t *testing.T) {
	leg := func(verified bool, trouble string) inspect.UpstreamLeg {
		return inspect.UpstreamLeg{TLS: &session.TLS{Verified: verified, Error: trouble}}
	}
	r := newRepetition()
	r.config.Upstream, r.config.UpstreamCA, r.user, r.secrets.password = "mx.example.net:25", "my roots.pem", "me", "secret"
	const way = " --upstream mx.example.net:25 --upstream-ca 'my roots.pem' --user me --password-file secret"
	if got := r.way(); got != way {
		t.Errorf("way of %+v: got %q, want %q", r.config, got, way)
	}
	for name, test := range map[string]struct {
		then, now inspect.UpstreamLeg
		way, want string
	}{
		"another root": {leg(true, ""), leg(false, "untrusted"), "", "smtp-proxy replay 01JD --data d --upstream-ca FILE  trusts a root that run was given"},
		"no root fits": {leg(true, ""), leg(false, "untrusted"), way, ""},
		"insecure":     {leg(false, "expired"), leg(false, "expired"), way, "smtp-proxy replay 01JD --data d" + way + " --upstream-insecure  goes on all the same, as was done then"},
		"not TLS":      {leg(true, ""), leg(true, ""), "", ""},
	} {
		s := &played{recorded: &inspect.Session{Upstream: test.then}, now: &inspect.Session{Upstream: test.now}, again: "01JD", way: test.way}
		if got := strings.Join(s.trust("smtp-proxy replay 01JD --data d"+test.way), "\n"); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// A series that differs in ever other ways takes no more room for it.
func TestReasons(t *testing.T) {
	var r reasons
	for i := range 10 * mostReasons {
		r.add(fmt.Sprint("reason ", i))
		r.add("the usual one")
	}
	var b bytes.Buffer
	r.write(&b, "different")
	if lines := strings.Count(b.String(), "\n"); lines > mostReasons+2 || r.all != 20*mostReasons {
		t.Errorf("%d reasons: got %d lines and %d in all, want at most %d lines", 10*mostReasons, lines, r.all, mostReasons+2)
	}
	if !strings.Contains(b.String(), "   500  the usual one\n") || !strings.Contains(b.String(), otherReason) {
		t.Errorf("reasons: got\n%s\nwant 500 of the usual one, and others", b.String())
	}
}

// A thousand recipients take one line, but for those whose answer tells more.
func TestReplayShownShort(t *testing.T) {
	step := func(code string, same bool) replay.Step {
		return replay.Step{Command: "RCPT TO:<b@example.net>", Recorded: code + " Ok", Now: code + " Ok", Same: same}
	}
	var steps []replay.Step
	for range 500 {
		steps = append(steps, step("250", true))
	}
	steps = append(steps, step("550", true))
	for range 500 {
		steps = append(steps, step("250", true))
	}
	steps = append(steps, step("250", false), replay.Step{Command: "QUIT", Recorded: "221 Bye", Now: "221 Bye", Same: true})
	var b bytes.Buffer
	comparison{transcript: transcript{screen: screen{zone: time.UTC}, now: atNoon}}.steps(&b, steps)
	got := b.String()
	if n := strings.Count(got, "= 499 more RCPT, answered alike\n"); n != 2 || strings.Count(got, "550 Ok") != 1 || strings.Count(got, "\n") > 20 || !strings.Contains(got, "! RCPT") {
		t.Errorf("got\n%s\nwant 499 more twice, the refused one, the different one, and at most 20 lines", got)
	}
}
