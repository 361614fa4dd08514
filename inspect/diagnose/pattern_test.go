package diagnose_test

import (
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
)

func slowed(reply string) string {
	return `
	open
	U: 220 mx.example.com ESMTP Postfix
	A: EHLO app.local
	U: 250-mx.example.com\n250-SIZE 1000000\n250-AUTH PLAIN LOGIN\n250 STARTTLS
	A! AUTH PLAIN me@example.com
	U: 235 2.7.0 ok
	A: MAIL FROM:<me@example.com>
	U: ` + reply + `
	end`
}

const tooMuch = "450 4.7.1 Error: too much mail from 192.0.2.7"

// proof joins the evidence that is no entry of the session.
func proof(f inspect.Finding) string {
	var all []string
	for _, e := range f.Evidence {
		if e.Event == 0 {
			all = append(all, e.Text)
		}
	}
	return strings.Join(all, "; ")
}

// Five go well, then all are refused, and a minute later mail is taken again.
func TestPatternOfALimit(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	c.good(5)
	f := c.fails("rate.messages", slowed(tooMuch))
	if want := "5 sessions went well within 5 seconds, then came the first refusal (12:00:06 UTC) with 1 session open at once"; !strings.Contains(proof(f), want) || !strings.Contains(f.Explanation, want) {
		t.Errorf("got proof %q of the first refusal, want %q", proof(f), want)
	}
	usual := f.Retry
	c.fails("rate.messages", slowed(tooMuch))
	c.now = c.now.Add(57 * time.Second)
	c.good(5)
	f = c.fails("rate.messages", slowed(tooMuch))
	if want := "5 sessions went well within 5 seconds, then came the first refusal (12:00:06 UTC) with 1 session open at once; the next good one began 59 seconds later"; !strings.Contains(proof(f), want) {
		t.Errorf("got proof %q, want %q", proof(f), want)
	}
	if f.Retry.Advice != "later" || f.Retry.AfterS != 59 || f.Retry.Schedule[0] != 59 || usual.AfterS == 59 {
		t.Errorf("got retry %+v, want a first wait of 59 s instead of %d", f.Retry, usual.AfterS)
	}
}

// What the reply names wins over what was learned.
func TestNamedDelayWins(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	named := slowed("450 4.7.1 Error: too much mail from 192.0.2.7, try again in 300 seconds")
	c.good(3)
	c.fails("rate.messages", named)
	c.now = c.now.Add(time.Minute)
	c.good(3)
	if f := c.fails("rate.messages", named); f.Retry.AfterS != 300 || proof(f) == "" {
		t.Errorf("got retry %+v and proof %q, want the reply's 300 s, and the pattern as evidence", f.Retry, proof(f))
	}
}

// A refusal that does not speak of a rate is read as one behind a recovery
// only.
func TestPatternBehindOtherWords(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	busy := "\n\topen\n\tU: 421 4.3.2 mx.example.com: no more connections now\n\tend"
	c.good(4)
	first := c.run(c.session(busy))
	if len(first) == 0 || aboutRate(first[0].Cause) || proof(first[0]) != "" {
		t.Fatalf("got %q with proof %q, want a cause beside rate, without a pattern", causes(first), proof(first[0]))
	}
	c.now = c.now.Add(29 * time.Second)
	c.good(4)
	again := c.run(c.session(busy))
	if !strings.Contains(proof(again[0]), "the next good one began 30 seconds later") || again[0].Retry.AfterS != 30 {
		t.Errorf("got proof %q and retry %+v, want a pattern with 30 s", proof(again[0]), again[0].Retry)
	}
}

func aboutRate(cause string) bool { return strings.HasPrefix(cause, "rate.") }

// Sessions that are open at the same time are counted at the first refusal,
// whether or not they have ended by then.
func TestPatternCountsOpenSessions(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	c.good(2)
	c.engine.Began("open-1", c.upstream, c.now)
	c.engine.Began("open-2", c.upstream, c.now)
	c.engine.Began("elsewhere", "other.example.com:25", c.now)
	c.engine.Began("later", c.upstream, c.now.Add(time.Hour))
	if f := c.fails("rate.messages", slowed(tooMuch)); !strings.Contains(proof(f), "with 3 sessions open at once") {
		t.Errorf("got proof %q, want 3 sessions open", proof(f))
	}
}

// One good session before a refusal, or a refusal of recipients, shows no
// limit.
func TestNoPattern(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	c.good(1)
	if f := c.fails("rate.messages", slowed(tooMuch)); proof(f) != "" {
		t.Errorf("got proof %q of one session, want none", proof(f))
	}
	c = newCourse(t, diagnose.Options{})
	greylisted := strings.Replace(wellDone, "U: 250 ok\n\tA: DATA\n\tU: 354 go\n\tdata\n\tU: 250 2.0.0 queued", "U: 451 4.7.1 Greylisted, try again later", 1)
	for range 3 {
		c.good(3)
		if f := c.fails("recipient.greylisted", greylisted); proof(f) != "" {
			t.Errorf("got proof %q of greylisting, want none", proof(f))
		}
	}
}

// An hour without mail lets a limit start afresh.
func TestPatternForgetsRestfulTimes(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	c.good(20)
	c.now = c.now.Add(3 * time.Hour)
	c.good(2)
	if f := c.fails("rate.messages", slowed(tooMuch)); !strings.Contains(proof(f), "2 sessions went well within 2 seconds") {
		t.Errorf("got proof %q, want the 2 sessions since the pause", proof(f))
	}
}
