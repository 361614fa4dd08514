package main

import (
	"slices"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream/probe"
)

// failure is what failed first in a check.
type failure struct {
	any   bool
	step  string        // empty when no rung shows what was found
	phase session.Phase // empty beside the dialogue
	cause string        // empty when nothing was found for it
}

// String names the step and the cause, as far as they are known.
func (f failure) String() string {
	switch {
	case f.step == "":
		return f.cause
	case f.cause == "":
		return f.step + " failed"
	}
	return f.step + " failed first (" + f.cause + ")"
}

// failure returns what the first finding is about; where nothing was found,
// the first rung that failed, one of the dialogue before those beside it.
func (r *examined) failure() failure {
	if len(r.findings) == 0 {
		return r.firstFailed(failure{})
	}
	f := failure{any: true, cause: r.findings[0].Cause}
	e := r.proof(r.findings[0])
	switch {
	case e == nil:
	case e.Probe != nil:
		f.step = r.failed(func(step string) bool { return step == e.Probe.Name })
		f.phase = phaseOf(f.step)
	default:
		f.phase = e.Phase
		f.step = r.failed(func(step string) bool { return phaseOf(step) == e.Phase && !besideDialogue(step) })
	}
	if f.step == "" {
		return r.firstFailed(f)
	}
	return f
}

// firstFailed completes f with the first rung that failed.
func (r *examined) firstFailed(f failure) failure {
	step := r.failed(func(step string) bool { return phaseOf(step) != "" && !besideDialogue(step) })
	if step == "" {
		step = r.failed(func(step string) bool { return phaseOf(step) != "" })
	}
	if step == "" {
		step = r.failed(func(string) bool { return true })
	}
	if step == "" {
		return f
	}
	f.any, f.step = true, step
	if f.phase == "" {
		f.phase = phaseOf(step)
	}
	return f
}

// besideDialogue tells the steps that stand for a phase of the dialogue without
// being part of it.
func besideDialogue(step string) bool {
	return slices.Contains([]string{"resolvers", "dns", "tcp"}, step)
}

// failed returns the first step of some kind that failed.
func (r *examined) failed(kind func(step string) bool) string {
	for _, l := range r.report.Lines {
		if l.Status == probe.StatusFail && kind(l.Step) {
			return l.Step
		}
	}
	return ""
}

// proof returns the entry that shows a finding; nil when none does.
func (r *examined) proof(f inspect.Finding) *session.Entry {
	for _, proof := range f.Evidence {
		for _, entries := range [][]session.Entry{r.report.Dialogue, r.report.Answers} {
			for i := range entries {
				if entries[i].Seq == proof.Event && proof.Event > 0 {
					return &entries[i]
				}
			}
		}
	}
	return nil
}
