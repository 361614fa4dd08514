package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream/probe"
)

// watch checks the targets in rounds, until ctx ends. Each is shown whole at
// first, and then what has changed.
//
// It ends by itself when a sign-in is refused: the same password again and
// again locks accounts.
func (x *examiner) watch(ctx context.Context, targets []*examinee) error {
	rounds := time.NewTicker(x.c.watch)
	defer rounds.Stop()
	last := map[*examinee]*examined{}
	code := exitInterrupted // no round has ended yet
	for {
		now, err := x.round(ctx, targets, last)
		switch {
		case errors.Is(err, exitInterrupted): // this round says nothing
			return code.orNil()
		case err != nil:
			return err
		}
		code = now
		if slices.ContainsFunc(targets, func(e *examinee) bool { return last[e].signInRefused() }) {
			return errors.Join(errSignInRefused(), code.orNil())
		}
		select {
		case <-rounds.C:
		case <-ctx.Done():
			return code.orNil()
		}
	}
}

func errSignInRefused() error {
	return errors.New("the watch is over: the sign-in was refused, and to repeat it locks accounts: correct the secret, then start again")
}

// round checks each target once, and keeps in last what came of it. The code
// is that of the first target that failed. The error is exitInterrupted when
// ctx ends before the round does.
func (x *examiner) round(ctx context.Context, targets []*examinee, last map[*examinee]*examined) (code ended, err error) {
	for i, e := range targets {
		before := last[e]
		r := x.examine(ctx, e, before)
		switch {
		case ctx.Err() != nil:
			return code, exitInterrupted
		case before == nil:
			err = x.out.conclude(r, i == len(targets)-1)
		default:
			err = x.out.again(before, r)
		}
		if err != nil {
			return code, err
		}
		last[e] = r
		if code == 0 {
			code = r.code()
		}
	}
	return code, nil
}

// blocklistsEvery is how often blocklists may be asked about one address.
const blocklistsEvery = time.Hour

const stepBlocklists = "dnsbl"

// wanted says what a check does; before is the last one of the same smarthost,
// or nil. Between the times at which blocklists may be asked the step is left
// out, so that what it said stands.
func (x *examiner) wanted(r, before *examined) probe.Wanted {
	w := probe.Wanted{Steps: x.c.steps, Blocklists: !x.c.noBlocklist, Script: x.c.script}
	r.blocklists = r.at
	if before == nil || r.at.Sub(before.blocklists) >= blocklistsEvery {
		return w
	}
	r.blocklists = before.blocklists
	if w.Steps == nil {
		w.Steps = probe.StepNames()
	}
	w.Steps = slices.DeleteFunc(slices.Clone(w.Steps), func(name string) bool { return name == stepBlocklists })
	return w
}

// signInRefused reports a password or token that was refused for good.
func (r *examined) signInRefused() bool {
	return slices.ContainsFunc(r.report.Dialogue, func(e session.Entry) bool {
		return e.Kind == session.KindReply && e.Phase == session.PhaseAuth && e.Code >= 500
	})
}
