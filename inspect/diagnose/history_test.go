package diagnose_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
)

const mx = "mx.example.com:587"

// course is a row of sessions to one upstream through one engine.
type course struct {
	t        testing.TB
	engine   *diagnose.Engine
	upstream string
	route    string
	now      time.Time
	n        int
}

func newCourse(t testing.TB, options diagnose.Options) *course {
	return &course{t: t, engine: engine(t, options), upstream: mx, route: "default", now: noon}
}

// session makes the next session of a dialogue, a second after the last.
func (c *course) session(dialogue string) *inspect.Session {
	c.t.Helper()
	c.n++
	c.now = c.now.Add(time.Second)
	s := newScript(c.t, c.upstream)
	s.now = c.now
	s.asm = inspect.NewAssembler(&session.Info{ID: fmt.Sprintf("01T%05d", c.n), Started: c.now, Route: c.route, AppAddr: "127.0.0.1:50000", Upstream: c.upstream})
	for line := range strings.Lines(dialogue) {
		if line = strings.TrimSpace(line); line != "" {
			s.line(line)
		}
	}
	return s.asm.Session()
}

// run has a session diagnosed and remembered.
func (c *course) run(s *inspect.Session) []inspect.Finding {
	c.t.Helper()
	findings := c.engine.Annotate(s)
	s.Judge(findings)
	c.engine.Remember(s, findings)
	return findings
}

// good lets n sessions go well.
func (c *course) good(n int) {
	c.t.Helper()
	for range n {
		if got := c.run(c.session(wellDone)); len(got) > 0 {
			c.t.Fatalf("got %q of a healthy session, want nothing", causes(got))
		}
	}
}

// fails runs a session that must have a finding, and returns the first.
func (c *course) fails(want, dialogue string) inspect.Finding {
	c.t.Helper()
	got := c.run(c.session(dialogue))
	if len(got) == 0 || got[0].Cause != want {
		c.t.Fatalf("got %q, want %s first of\n%s", causes(got), want, dialogue)
	}
	return got[0]
}

const wellDone = `
	open
	U: 220 mx.example.com ESMTP Postfix
	A: EHLO app.local
	U: 250-mx.example.com\n250-SIZE 1000000\n250-AUTH PLAIN LOGIN\n250 STARTTLS
	A! AUTH PLAIN me@example.com
	U: 235 2.7.0 ok
	A: MAIL FROM:<me@example.com>
	U: 250 ok
	A: RCPT TO:<b@example.net>
	U: 250 ok
	A: DATA
	U: 354 go
	data
	U: 250 2.0.0 queued
	A: QUIT
	U: 221 bye
	end`

const cutOff = `
	open
	reset upstream
	P: 421 4.4.1 smtp-proxy: the smarthost reset the connection
	end`

func TestRecurrenceCountsTheSessionAtHand(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	if r := c.fails("connect.reset", cutOff).Recurrence; r == nil || r.Seen != 1 || r.Of != 1 {
		t.Errorf("got recurrence %+v of the first session, want 1 of 1", r)
	}
	c.good(4)
	r := c.fails("connect.reset", cutOff).Recurrence
	if r == nil || r.Seen != 2 || r.Of != 6 || !r.Since.Equal(noon.Add(time.Second)) {
		t.Errorf("got recurrence %+v, want 2 of 6 since the first session", r)
	}
	c.upstream = "other.example.com:587"
	if r := c.fails("connect.reset", cutOff).Recurrence; r.Of != 1 {
		t.Errorf("got %d sessions to another upstream, want its own only", r.Of)
	}
}

// A week ago does not count, and no more than a hundred sessions do.
func TestRecurrenceIsOfLate(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	c.good(120)
	if r := c.fails("connect.reset", cutOff).Recurrence; r.Of != 100 || r.Seen != 1 {
		t.Errorf("got %d of %d, want 1 of 100", r.Seen, r.Of)
	}
	c.now = c.now.Add(8 * 24 * time.Hour)
	if r := c.fails("connect.reset", cutOff).Recurrence; r.Of != 1 || r.Seen != 1 {
		t.Errorf("got %d of %d a week later, want 1 of 1", r.Seen, r.Of)
	}
}

func TestGlitch(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	c.good(9)
	if f := c.fails("connect.reset", cutOff); !strings.Contains(f.Explanation, "a glitch, not a configuration error") || f.Retry.Advice != "now" {
		t.Errorf("got %q and retry %+v of one in ten, want a glitch, and now", f.Explanation, f.Retry)
	}
	if f := c.fails("connect.reset", cutOff); strings.Contains(f.Explanation, "glitch") || f.Retry.Advice != "later" {
		t.Errorf("got %q and retry %+v of the second in a row, want no glitch, and later", f.Explanation, f.Retry)
	}
	if f := c.fails("connect.reset", cutOff); !strings.Contains(f.Explanation, "It worked until 2026-11-21 12:00 UTC; the 3 sessions since then have all failed like this") {
		t.Errorf("got %q of the third in a row, want since when", f.Explanation)
	}
}

func TestAFewSessionsAreNoGlitch(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	c.good(8)
	if f := c.fails("connect.reset", cutOff); strings.Contains(f.Explanation, "glitch") || f.Retry.Advice != "later" {
		t.Errorf("got %q and retry %+v, want no judgement of so few", f.Explanation, f.Retry)
	}
}

func TestEveryTimeIsConfiguration(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	for i := range 3 {
		f := c.fails("connect.reset", cutOff)
		if got, want := strings.Contains(f.Explanation, "that is a configuration error"), i == 2; got != want {
			t.Errorf("session %d: got %q, want it called a configuration error: %v", i+1, f.Explanation, want)
		}
		if f.Retry.Advice != "later" {
			t.Errorf("session %d: got advice %s, want the catalogue's later", i+1, f.Retry.Advice)
		}
	}
}

// A refusal that is no matter of the path is never a glitch.
func TestRefusalsAreNoGlitch(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	c.good(20)
	f := c.fails("recipient.unknown", strings.Replace(wellDone, "U: 250 ok\n\tA: DATA\n\tU: 354 go\n\tdata\n\tU: 250 2.0.0 queued", "U: 550 5.1.1 no such user", 1))
	if strings.Contains(f.Explanation, "glitch") || f.Retry.Advice != "never" || f.Recurrence.Of != 21 {
		t.Errorf("got %q, retry %+v, %+v, want the reply's own advice, 1 of 21", f.Explanation, f.Retry, f.Recurrence)
	}
}

// A session that is annotated while it runs, and again when a probe has come,
// counts once.
func TestASessionCountsOnce(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	s := c.session(cutOff)
	for range 3 {
		if got := c.run(s); got[0].Recurrence.Of != 1 {
			t.Errorf("got %+v, want 1 of 1", got[0].Recurrence)
		}
	}
	if f := c.fails("connect.reset", cutOff); f.Recurrence.Of != 2 || f.Recurrence.Seen != 2 {
		t.Errorf("got %+v, want 2 of 2", f.Recurrence)
	}
}

// records is a history that counts how often it is asked.
type records struct {
	recent    []*inspect.Session // newest first
	last      *inspect.Session
	elsewhere *inspect.Session
	err       error
	asked     int
}

func (r *records) Recent(_ string, since time.Time, limit int) (list []*inspect.Session, err error) {
	r.asked++
	for _, s := range r.recent {
		if s.Started.After(since) && len(list) < limit {
			flat := *s
			flat.Events = nil
			list = append(list, &flat)
		}
	}
	return list, r.err
}

func (r *records) LastGood(string) (*inspect.Session, error)   { return r.last, r.err }
func (r *records) LastGoodOn(string) (*inspect.Session, error) { return r.elsewhere, r.err }

// A new process knows from the store what the one before it knew.
func TestHistoryIsReadOnce(t *testing.T) {
	before := newCourse(t, diagnose.Options{})
	var r records
	for range 12 {
		s := before.session(wellDone)
		before.run(s)
		r.recent = append([]*inspect.Session{s}, r.recent...)
	}
	r.last = r.recent[0]

	c := newCourse(t, diagnose.Options{History: &r})
	c.n, c.now = 100, before.now
	c.good(2)
	if r.asked != 0 {
		t.Errorf("asked %d times for healthy sessions, want never", r.asked)
	}
	f := c.fails("connect.reset", cutOff)
	if f.Recurrence.Of != 15 || !strings.Contains(f.Explanation, "a glitch") {
		t.Errorf("got %+v and %q, want a glitch among 15", f.Recurrence, f.Explanation)
	}
	c.fails("connect.reset", cutOff)
	if r.asked != 1 {
		t.Errorf("asked %d times, want once", r.asked)
	}
}

// A history that cannot be read is reported, and costs what it would have said.
func TestHistoryThatFails(t *testing.T) {
	r := &records{err: errors.New("locked")}
	var reports []error
	c := newCourse(t, diagnose.Options{History: r, Failed: func(err error) { reports = append(reports, err) }})
	f := c.fails("connect.reset", cutOff)
	if f.Recurrence == nil || len(reports) != 1 || !strings.Contains(reports[0].Error(), "locked") {
		t.Errorf("got %+v and reports %v, want 1 of 1 and the history's error", f.Recurrence, reports)
	}
	c.fails("connect.reset", cutOff)
	if r.asked != 1 {
		t.Errorf("asked %d times, want once: a failing disk is not asked again", r.asked)
	}
}

// What many upstreams leave behind is bounded.
func TestMemoryOfManyUpstreams(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	for i := range 600 {
		c.upstream = fmt.Sprintf("host%d.example.com:25", i)
		c.fails("connect.reset", cutOff)
	}
	if f := c.fails("connect.reset", cutOff); f.Recurrence.Of != 2 {
		t.Errorf("got %+v of the latest upstream, want 2 of 2", f.Recurrence)
	}
	c.upstream = "host0.example.com:25"
	if f := c.fails("connect.reset", cutOff); f.Recurrence.Of != 1 {
		t.Errorf("got %+v of the first upstream, want it forgotten", f.Recurrence)
	}
}
