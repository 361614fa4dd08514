package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
)

func newTestFollower(live bool) (*follower, *bytes.Buffer) {
	var out bytes.Buffer
	width := 0
	if live {
		width = 100
	}
	return newFollower(transcript{screen: screen{out: &out, zone: time.UTC, live: live, width: width}, now: atNoon}), &out
}

func take(t *testing.T, f *follower, sessions ...*inspect.Session) {
	t.Helper()
	for _, s := range sessions {
		if err := f.take(s); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFollowerPrintsEachSessionOnce(t *testing.T) {
	f, out := newTestFollower(false)
	open := delivered()
	open.Ended = time.Time{}
	take(t, f, open)
	if out.Len() > 0 {
		t.Errorf("an open session wrote %q where there is no terminal, want nothing", out)
	}
	take(t, f, delivered(), delivered())
	if got := strings.Count(out.String(), "235 2.7.0 Accepted"); got != 1 {
		t.Errorf("an ended session was printed %d times, want once:\n%s", got, out)
	}
}

func TestFollowerPrintsFindingsThatChange(t *testing.T) {
	f, out := newTestFollower(false)
	before := refusedConnection()
	before.Findings = before.Findings[1:]
	take(t, f, before)
	out.Reset()
	take(t, f, refusedConnection(), refusedConnection())
	got := out.String()
	if strings.Count(got, "(findings changed)") != 1 || strings.Contains(got, "EHLO app.local") || !strings.Contains(got, "connect.refused") {
		t.Errorf("changed findings: got\n%s\nwant them once, without the dialogue", got)
	}
}

// A prediction that comes late is news only where the app would fail alone.
func TestFollowerPrintsAFailingPrediction(t *testing.T) {
	f, out := newTestFollower(false)
	fine, fails := delivered(), delivered()
	fine.Direct = &inspect.Direct{Tested: true, WouldConnect: true, Text: "it takes the offer"}
	fails.Direct = &inspect.Direct{Tested: true, Text: "the app offers TLS 1.0 only"}
	take(t, f, delivered())
	out.Reset()
	take(t, f, fine)
	if out.Len() > 0 {
		t.Errorf("a good prediction wrote %q, want nothing", out)
	}
	take(t, f, fails, fails)
	if got := out.String(); strings.Count(got, "without the proxy: would fail: the app offers TLS 1.0 only") != 1 {
		t.Errorf("a failing prediction wrote\n%s\nwant it once", got)
	}
}

func TestFollowerJSON(t *testing.T) {
	f, out := newTestFollower(false)
	f.json = jsonLines(out)
	open := delivered()
	open.Ended = time.Time{}
	take(t, f, open, delivered(), delivered(), refusedConnection())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("got %d lines, want one for each session:\n%s", len(lines), out)
	}
	for _, line := range lines {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		if _, ok := object["events"]; ok {
			t.Errorf("got events in %q, want them in show --json only", line)
		}
	}
}

func TestFollowerForgets(t *testing.T) {
	f, _ := newTestFollower(false)
	for i := range mostPrinted + 10 {
		s := &inspect.Session{ID: time.Duration(i).String(), Started: noon, Ended: noon}
		take(t, f, s)
	}
	if len(f.printed) != mostPrinted || len(f.order) != mostPrinted {
		t.Errorf("remembers %d and %d sessions, want %d", len(f.printed), len(f.order), mostPrinted)
	}
}

func TestLiveLineIsGoneBeforeABlock(t *testing.T) {
	f, out := newTestFollower(true)
	first, second := delivered(), refusedRecipient()
	first.Ended, second.Ended, second.ID = time.Time{}, time.Time{}, "01JE"
	take(t, f, first, second)
	if got := out.String(); !strings.Contains(got, "2 running") || strings.Contains(got, "\n") {
		t.Errorf("two running sessions wrote %q, want one line that counts them", got)
	}
	out.Reset()
	take(t, f, delivered())
	got := out.String()
	if !strings.HasPrefix(got, "\r\x1b[K12:00:00") {
		t.Errorf("the block begins with %q, want the live line cleared first", got[:min(40, len(got))])
	}
	if rest := got[strings.LastIndex(got, "\n")+1:]; !strings.Contains(rest, "smtp.example.com:587") || strings.Contains(rest, "running") {
		t.Errorf("after the block stands %q, want the session that still runs", rest)
	}
}

func TestLiveLineFitsTheTerminal(t *testing.T) {
	f, out := newTestFollower(true)
	s := hostile()
	s.Ended = time.Time{}
	take(t, f, s)
	if n := columns(out.String()); n >= 100 {
		t.Errorf("the live line has %d columns, want fewer than the terminal's 100: %q", n, out)
	}
	if strings.Contains(out.String(), "\x1b[2J") {
		t.Errorf("a peer's escape sequence got through: %q", out)
	}
}
