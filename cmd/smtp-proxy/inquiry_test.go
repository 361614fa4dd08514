package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// oracle is a prober whose answers take a while. It ends early with its
// context.
type oracle struct{ takes time.Duration }

func (o oracle) Ask(ctx context.Context, _ upstream.Target, q probe.Question) session.Entry {
	e := session.Entry{Kind: session.KindProbe, Leg: session.Upstream, From: session.FromProxy, Text: q.Probe, Probe: &session.Probe{Name: q.Probe, Result: "ok"}}
	select {
	case <-time.After(o.takes):
	case <-ctx.Done():
		e.Probe.Result = "skip"
	}
	return e
}

// asking is an inquiry with a stub on each side of it.
type asking struct {
	*inquiry
	mu                sync.Mutex
	written, toldOver []string
}

func (a *asking) note(list *[]string, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	*list = append(*list, id)
	slices.Sort(*list)
}

func newAsking(takes time.Duration) *asking {
	a := &asking{}
	a.inquiry = &inquiry{
		questions: func(s *inspect.Session) []diagnose.Question {
			if s.Direct != nil || s.ID == "healthy" {
				return nil
			}
			return []diagnose.Question{{Probe: "certificate"}, {Probe: inspect.ProbeDirect}}
		},
		prober: func(*inspect.Session) (prober, upstream.Target, bool) { return oracle{takes}, upstream.Target{}, true },
		annotate: func(s *inspect.Session) []inspect.Finding {
			if s.ID == "same" {
				return s.Findings
			}
			return []inspect.Finding{{Cause: "tls.certificate-expired"}}
		},
		revise: func(s *inspect.Session, answers []session.Entry) error {
			a.note(&a.written, s.ID)
			if len(answers) != 2 || answers[0].Seq != 8 || answers[1].Seq != 9 || len(s.Events) != 3 || s.Direct == nil {
				a.note(&a.written, "wrong")
			}
			return errors.New("no disk")
		},
		changed: func(s *inspect.Session) { a.note(&a.toldOver, s.ID) },
		log:     zerolog.Nop(),
		queue:   make(chan *inspect.Session, inquiryQueue),
	}
	return a
}

func refusing(id string) *inspect.Session {
	return &inspect.Session{ID: id, Events: []session.Entry{{Seq: 7}}, Findings: []inspect.Finding{{Cause: "tls.app-rejected-certificate"}}}
}

// What is asked about ends with its answers in the record, and is told of
// again when the first cause is another one.
func TestInquiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAsking(time.Second)
		a.start(t.Context())
		for _, id := range []string{"changed", "same", "healthy"} {
			a.offer(refusing(id))
		}
		a.finish()
		if want := []string{"changed", "same"}; !slices.Equal(a.written, want) {
			t.Errorf("revised %q, want %q", a.written, want)
		}
		if want := []string{"changed"}; !slices.Equal(a.toldOver, want) {
			t.Errorf("told again of %q, want %q", a.toldOver, want)
		}
	})
}

// A full queue drops, and shutdown waits no longer than it may.
func TestInquiryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAsking(time.Hour)
		a.revise = func(*inspect.Session, []session.Entry) error { return nil }
		a.changed = func(*inspect.Session) {}
		a.start(t.Context())
		for range inquiryQueue + inquiryWorkers + 3 {
			a.offer(refusing("slow"))
			synctest.Wait()
		}
		if got := a.dropped.Load(); got != 3 {
			t.Errorf("dropped %d, want 3", got)
		}
		began := time.Now()
		a.finish()
		if took := time.Since(began); took > inquiryEnd+time.Second {
			t.Errorf("the end took %s, want no more than %s", took, inquiryEnd)
		}
		if got, want := a.dropped.Load(), int64(3+inquiryQueue); got != want {
			t.Errorf("dropped %d in the end, want %d", got, want)
		}
		a.offer(refusing("late")) // is refused in silence
	})
}

// Every question of the diagnosis has a probe that answers it.
func TestQuestionsHaveProbes(t *testing.T) {
	known := probe.Questions()
	for _, name := range diagnose.Probes() {
		if !slices.Contains(known, name) {
			t.Errorf("the diagnosis asks for %q, and the probes are %q", name, known)
		}
	}
}
