package main

import (
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/web"
)

// object is a replay as the contract words it.
func (s *played) object() web.ReplayResult {
	x := web.ReplayResult{
		Session: s.recorded.ID, Target: s.target, Identical: s.identical(), Steps: []web.ReplayStep{}, NotSent: s.result.NotSent,
		Recorded: s.result.Recorded, Reached: s.result.Reached, Delivered: s.result.Delivered, Verdict: s.verdict(), Findings: s.findings(),
	}
	if x.NotSent == nil {
		x.NotSent = []string{}
	}
	if x.Findings == nil {
		x.Findings = []inspect.Finding{}
	}
	if s.kept {
		x.Replay = s.now.ID
	}
	if s.result.Err != nil {
		x.Error = s.result.Err.Error()
	}
	for _, step := range s.result.Steps {
		if step.Own {
			x.Added = append(x.Added, web.ReplayAdded{Command: step.Command, Now: step.Now, MS: fine(step.Wait)})
			continue
		}
		x.Steps = append(x.Steps, web.ReplayStep{
			Command: step.Command, Recorded: step.Recorded, Now: step.Now, Same: step.Same, Why: step.Why,
			RecordedMS: fine(step.RecordedWait), MS: fine(step.Wait),
		})
	}
	return x
}

// findings are those of the replay: what is wrong now.
func (s *played) findings() []inspect.Finding {
	if s.now == nil {
		return nil
	}
	return s.now.Findings
}

// fine is a time in milliseconds with three decimals.
func fine(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
