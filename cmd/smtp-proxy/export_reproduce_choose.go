package main

import (
	"fmt"
	"slices"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// choose takes the steps that lead to what the session failed at, and counts
// the earlier messages that are left out. A session that did not fail is
// followed to its last RCPT, and with --deliver to its end.
func (x *export) choose(all []step) (steps []step, left int, err error) {
	if len(all) == 0 {
		return nil, 0, fmt.Errorf("session %s never reached for its smarthost: there is nothing to reproduce, see smtp-proxy show %s", x.session.ID, x.session.ID)
	}
	message := -1
	if x.named {
		if message = x.message - 1; !slices.ContainsFunc(all, func(s step) bool { return s.message == message }) {
			return nil, 0, usagef("--message %d: session %s has %s", x.message, x.session.ID, inspect.Count(len(x.session.Messages)+x.session.Omitted, "message"))
		}
	}
	end := x.goalOf(all, message)
	steps = slices.Clone(all[:end+1])
	if x.deliver && !x.named {
		return steps, 0, nil
	}
	steps, left = x.alone(steps)
	return steps, left, nil
}

// alone leaves out the other transactions, and, without --deliver, what was
// delivered before the last step.
func (x *export) alone(steps []step) ([]step, int) {
	last := steps[len(steps)-1]
	seen := map[int]bool{}
	steps = slices.DeleteFunc(steps[:len(steps)-1], func(s step) bool {
		if s.message >= 0 && s.message != last.message {
			seen[s.message] = true
			return true
		}
		return !x.deliver && !last.content && (s.content || s.verb == "DATA")
	})
	return append(steps, last), len(seen)
}

// goalOf finds the step that all is for.
func (x *export) goalOf(all []step, message int) int {
	mine := func(s *step) bool { return s.verb != "QUIT" && (message < 0 || s.message == message) }
	end := len(all) - 1
	good := x.session.Outcome == inspect.Delivered
	if x.deliver && (good || x.session.Outcome == inspect.Partial) {
		return lastOf(all, mine, end)
	}
	if !good {
		if i := lastOf(all, func(s *step) bool { return mine(s) && s.failed() }, -1); i >= 0 {
			return i
		}
	}
	// Nothing failed: stop before anything that could deliver.
	rcpt := func(s *step) bool { return mine(s) && s.phase == session.PhaseRcpt }
	if i := lastOf(all, rcpt, -1); i >= 0 && slices.ContainsFunc(all, func(s step) bool { return s.content }) {
		return i
	}
	return lastOf(all, mine, end)
}

// lastOf returns the index of the last step that fits, or other.
func lastOf(all []step, fits func(*step) bool, other int) int {
	for i := len(all) - 1; i >= 0; i-- {
		if fits(&all[i]) {
			return i
		}
	}
	return other
}
