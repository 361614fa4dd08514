package main

import (
	"encoding/json"
	"math"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/upstream/probe"
)

// checkJSON is what check --json prints for one smarthost.
type checkJSON struct {
	Target   string            `json:"target"`
	Steps    []rungJSON        `json:"steps"`
	Findings []inspect.Finding `json:"findings"`
	Fix      *fixJSON          `json:"fix,omitempty"` // with --fix only
}

type rungJSON struct {
	Name   string       `json:"name"`
	Status probe.Status `json:"status"`
	Text   string       `json:"text"`
	MS     float64      `json:"ms"`
}

// jsonReport writes each check as one object when it has ended.
type jsonReport struct{ out *json.Encoder }

func (j jsonReport) begin(*examined) {}
func (j jsonReport) line(probe.Line) {}

func (j jsonReport) conclude(r *examined, _ bool) error { return j.out.Encode(r.object()) }

// object is the check as the contract words it.
func (r *examined) object() checkJSON {
	x := checkJSON{Target: r.target.Name, Steps: []rungJSON{}, Findings: r.shown(), Fix: r.fixObject()}
	if x.Findings == nil {
		x.Findings = []inspect.Finding{}
	}
	for _, l := range r.report.Lines {
		x.Steps = append(x.Steps, rungJSON{Name: l.Step, Status: l.Status, Text: l.Text, MS: tenth(l.Took)})
	}
	return x
}

// tenth is a time in milliseconds with one decimal.
func tenth(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Millisecond)*10) / 10
}
