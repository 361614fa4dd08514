package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// prober asks smarthosts questions. Each answer is an entry, also when the
// question could not be asked.
type prober interface {
	Ask(ctx context.Context, t upstream.Target, q probe.Question) session.Entry
}

// inquiry asks what would sharpen the diagnosis of a session, when that has
// ended and been reported: off the way of any byte and of the record. The
// session is diagnosed again with the answers and stored once more.
//
// Its queue is bounded: what finds it full is not asked about, and counted.
type inquiry struct {
	questions func(*inspect.Session) []diagnose.Question
	prober    func(*inspect.Session) (prober, upstream.Target, bool) // whom to ask about a session
	annotate  func(*inspect.Session) []inspect.Finding               // with the answers
	revise    func(*inspect.Session, []session.Entry) error          // stores them with the findings
	changed   func(s *inspect.Session)                               // hears of a session whose first cause is another one now
	log       zerolog.Logger

	queue   chan *inspect.Session
	working sync.WaitGroup
	cancel  context.CancelFunc
	ending  atomic.Bool
	dropped atomic.Int64
}

// The bounds of an inquiry.
const (
	inquiryQueue   = 64                   // sessions that wait
	inquiryWorkers = 4                    // sessions at once
	inquiryLimit   = time.Minute          // one session's questions
	inquiryRest    = 5 * time.Millisecond // of a worker between sessions: the record is written for those that run first
	inquiryEnd     = 4 * time.Second      // what is left at shutdown
)

// start begins to ask. Without it sessions only wait.
func (q *inquiry) start(ctx context.Context) {
	if q == nil {
		return
	}
	ctx, q.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for range inquiryWorkers {
		q.working.Go(func() { q.work(ctx) })
	}
}

// offer takes a session that has ended, if there is a question about it. It
// never waits.
func (q *inquiry) offer(s *inspect.Session) {
	if q == nil || q.ending.Load() || !mayBeAsked(s) || len(q.questions(s)) == 0 {
		return
	}
	select {
	case q.queue <- s:
	default:
		if q.dropped.Add(1) == 1 {
			q.log.Warn().Msg("more sessions end than can be asked about: some keep the diagnosis that needs no probe")
		}
	}
}

// finish asks what is still waiting, for no longer than it may take at
// shutdown. No session may be offered behind it.
func (q *inquiry) finish() {
	if q == nil || q.cancel == nil {
		return
	}
	q.ending.Store(true)
	close(q.queue)
	late := time.AfterFunc(inquiryEnd, q.cancel)
	q.working.Wait()
	late.Stop()
	q.cancel()
	if n := q.dropped.Load(); n > 0 {
		q.log.Info().Int64("sessions", n).Msg("sessions that were not asked about, for want of time")
	}
}

func (q *inquiry) work(ctx context.Context) {
	for s := range q.queue {
		if ctx.Err() != nil {
			q.dropped.Add(1)
			continue
		}
		q.inquire(ctx, s)
		select {
		case <-time.After(inquiryRest):
		case <-ctx.Done():
		}
	}
}

// inquire asks all questions about one session and draws the conclusions.
func (q *inquiry) inquire(ctx context.Context, s *inspect.Session) {
	ctx, cancel := context.WithTimeout(ctx, inquiryLimit)
	defer cancel()
	before := firstCause(s)
	answers := q.ask(ctx, s)
	if len(answers) == 0 {
		return
	}
	s.Judge(q.annotate(s))
	if err := q.revise(s, answers); err != nil {
		q.log.Debug().Err(err).Str("session", s.ID).Msg("the answers of probes are not in the record")
	}
	if firstCause(s) != before {
		q.changed(s)
	}
}

// ask asks what the diagnosis wants to know and adds the answers to the
// session; it returns them.
func (q *inquiry) ask(ctx context.Context, s *inspect.Session) (answers []session.Entry) {
	p, target, ok := q.prober(s)
	if !ok {
		return nil
	}
	for _, question := range q.questions(s) {
		e := p.Ask(ctx, target, probe.Question(question).About(s.Events))
		e.Seq = lastSeq(s) + 1
		s.Answer(&e)
		answers = append(answers, e)
	}
	return answers
}

func lastSeq(s *inspect.Session) int {
	if n := len(s.Events); n > 0 {
		return s.Events[n-1].Seq
	}
	return 0
}

func firstCause(s *inspect.Session) string {
	if len(s.Findings) == 0 {
		return ""
	}
	return s.Findings[0].Cause
}
