package main

import (
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// replayJSON is what replay --json prints for one session.
type replayJSON struct {
	Session   string            `json:"session"` // the recording
	Target    string            `json:"target"`
	Identical bool              `json:"identical"`
	Steps     []stepJSON        `json:"steps"`
	NotSent   []string          `json:"not_sent"`
	Added     []addedJSON       `json:"added,omitempty"`
	Replay    string            `json:"replay,omitempty"` // the session that this was, as the record has it
	Recorded  session.Phase     `json:"recorded"`         // how far each of them got
	Reached   session.Phase     `json:"reached"`
	Delivered int               `json:"delivered"` // messages that the target has accepted now
	Error     string            `json:"error,omitempty"`
	Verdict   string            `json:"verdict"`
	Findings  []inspect.Finding `json:"findings"` // of the replay
}

type stepJSON struct {
	Command    string  `json:"command"` // empty for the greeting
	Recorded   string  `json:"recorded"`
	Now        string  `json:"now"`
	Same       bool    `json:"same"`
	Why        string  `json:"why,omitempty"`
	RecordedMS float64 `json:"recorded_ms"`
	MS         float64 `json:"ms"`
}

// addedJSON is what the recording does not have: the RSET of a dry run, and
// further recipients.
type addedJSON struct {
	Command string  `json:"command"`
	Now     string  `json:"now"`
	MS      float64 `json:"ms"`
}

// object is a replay as the contract words it.
func (s *played) object() replayJSON {
	x := replayJSON{
		Session: s.recorded.ID, Target: s.target, Identical: s.identical(), Steps: []stepJSON{}, NotSent: s.result.NotSent,
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
			x.Added = append(x.Added, addedJSON{Command: step.Command, Now: step.Now, MS: fine(step.Wait)})
			continue
		}
		x.Steps = append(x.Steps, stepJSON{
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
