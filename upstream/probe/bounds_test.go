package probe_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// clock is a time that a test moves on.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestBudget(t *testing.T) {
	ca := newCA(t)
	addr := smarthost{}.open(t, ca)
	now := &clock{now: time.Now()}
	p := newProber(t, ca.Pool(), probe.Options{PerMinute: 1, Now: now.Now})
	ask := func(sni string) session.Entry {
		return p.Certificate(t.Context(), target(addr, upstream.ModeSTARTTLS), sni)
	}
	steps := []struct {
		sni    string
		result string
		pass   time.Duration
	}{
		{"", "ok", 0},
		{"mail.example.org", "skip", 59 * time.Second},
		{"mail.example.org", "skip", time.Second},
		{"mail.example.org", "fail", 0}, // asked: another name
	}
	for i, step := range steps {
		e := ask(step.sni)
		if e.Probe.Result != step.result || (step.result == "skip") != strings.Contains(e.Text, "often enough") {
			t.Errorf("question %d: %s %q; want %s", i, e.Probe.Result, e.Text, step.result)
		}
		now.pass(step.pass)
	}
}

// TestBudgetInTheMiddle has a prediction run out of connections while it looks
// for the reason of a failure.
func TestBudgetInTheMiddle(t *testing.T) {
	ca := newCA(t)
	addr := smarthost{groups: nil}.open(t, ca)
	p := newProber(t, ca.Pool(), probe.Options{PerMinute: 2})
	h := offer(func(h *session.Hello) { h.Signatures = []string{"ed448"} })
	e := p.Direct(t.Context(), target(addr, upstream.ModeSTARTTLS), h)
	if e.Probe.Result != "fail" || e.Probe.Setting != "" || !strings.Contains(e.Text, "was not found out") {
		t.Errorf("got %+v %q; want a failure without a setting", *e.Probe, e.Text)
	}
}

func TestAnswersAge(t *testing.T) {
	ca := newCA(t)
	addr := smarthost{}.open(t, ca)
	now := &clock{now: time.Now()}
	p := newProber(t, ca.Pool(), probe.Options{Now: now.Now, Keep: 10 * time.Minute})
	var cached []bool
	for _, pass := range []time.Duration{0, 9 * time.Minute, 2 * time.Minute} {
		now.pass(pass)
		e := p.Direct(t.Context(), target(addr, upstream.ModeSTARTTLS), offer(func(*session.Hello) {}))
		cached = append(cached, e.Probe.Cached)
	}
	if want := []bool{false, true, false}; !slices.Equal(cached, want) {
		t.Errorf("cached %v at 0, 9 and 11 minutes, want %v", cached, want)
	}
}

// TestManyAtOnce has many sessions ask the same: one connection answers all.
func TestManyAtOnce(t *testing.T) {
	ca := newCA(t)
	addr := smarthost{}.open(t, ca)
	p := newProber(t, ca.Pool(), probe.Options{})
	var asking sync.WaitGroup
	for range 16 {
		asking.Go(func() {
			e := p.Direct(t.Context(), target(addr, upstream.ModeSTARTTLS), offer(func(*session.Hello) {}))
			if e.Probe.Result != "ok" {
				t.Errorf("got %+v %q, want ok", *e.Probe, e.Text)
			}
		})
	}
	asking.Wait()
	if got, want := p.Counts(), (probe.Counts{Asked: 16, Cached: 15, Connections: 1}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
}

// TestWaitingEnds has a question wait behind one that takes long.
func TestWaitingEnds(t *testing.T) {
	addr := peer(t, nil, stays)
	p := newProber(t, nil, probe.Options{AtOnce: 1, Timeout: 5 * time.Second})
	first, stop := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	asking.Go(func() { p.Certificate(first, target(addr, upstream.ModeSTARTTLS), "") })
	second, giveUp := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer giveUp()
	e := p.Certificate(second, target(addr, upstream.ModeSTARTTLS), "")
	if e.Probe.Result != "skip" {
		t.Errorf("got %+v %q, want skip", *e.Probe, e.Text)
	}
	stop()
	asking.Wait()
}
