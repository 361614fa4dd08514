package main

import (
	"context"
	"slices"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream/probe"
)

// questionTime bounds what is asked behind the steps.
const questionTime = 5 * time.Second

// ask puts the questions that the findings leave open and no step has answered,
// as run does behind a failed session: about an address, say, which only the
// refusal names. Who chooses steps gets no others.
func (x *examiner) ask(ctx context.Context, p prober, r *examined, s *inspect.Session) {
	if r.partial || ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, questionTime)
	defer cancel()
	for _, q := range x.engine.Questions(s) {
		if x.barred(r, q.Probe) {
			continue
		}
		answer := p.Ask(ctx, r.target, probe.Question(q).About(s.Events))
		answer.Seq = lastSeq(s) + 1
		s.Answer(&answer)
		r.report.Answers = append(r.report.Answers, answer)
	}
}

// barred reports a question that is not to be put: to blocklists that were not
// to be asked, or not so soon; and what the port speaks, which the dialogue has
// found out.
func (x *examiner) barred(r *examined, probe string) bool {
	return probe == "speaks" || probe == stepBlocklists && (x.c.noBlocklist || r.recalled())
}

// recalled reports that the blocklists were asked in an earlier round and it is
// too soon to ask again.
func (r *examined) recalled() bool { return !r.blocklists.Equal(r.at) }

// recall keeps what the blocklists said in an earlier round, where it is too
// soon to ask again: what was found by it stands.
func (r *examined) recall(before *examined) {
	if before == nil || !r.recalled() {
		return
	}
	r.report.Answers = append(r.report.Answers, slices.DeleteFunc(slices.Clone(before.report.Answers), func(e session.Entry) bool {
		return e.Probe.Name != stepBlocklists
	})...)
}
