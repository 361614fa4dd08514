package main

import (
	"encoding/json"
	"math"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/web"
	"smtp-proxy/upstream/probe"
)

// jsonReport writes each check as one object when it has ended.
type jsonReport struct{ out *json.Encoder }

func (j jsonReport) begin(*examined) {}
func (j jsonReport) line(probe.Line) {}

func (j jsonReport) conclude(r *examined, _ bool) error { return j.out.Encode(r.object()) }

// object is the check as the contract words it.
func (r *examined) object() web.CheckResult {
	x := web.CheckResult{Target: r.target.Name, Steps: []web.CheckStep{}, Findings: r.shown(), Fix: r.fixObject()}
	if x.Findings == nil {
		x.Findings = []inspect.Finding{}
	}
	for _, l := range r.report.Lines {
		x.Steps = append(x.Steps, stepObject(l))
	}
	return x
}

func stepObject(l probe.Line) web.CheckStep {
	return web.CheckStep{Name: l.Step, Status: string(l.Status), Text: l.Text, MS: tenth(l.Took)}
}

// tenth is a time in milliseconds with one decimal.
func tenth(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Millisecond)*10) / 10
}
