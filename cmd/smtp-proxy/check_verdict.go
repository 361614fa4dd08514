package main

import (
	"strings"

	"smtp-proxy/upstream/probe"
)

// verdict says in one line what a check comes to.
func (r *examined) verdict() string {
	name := r.target.Name
	if f := r.failure(); f.any {
		return name + " is not fit for mail from here: " + f.String()
	}
	if r.cutOff() {
		return name + ": nothing failed so far, and the time was up before the end; --timeout gives more"
	}
	if r.partial {
		return name + ": nothing failed in the steps that were taken"
	}
	text := name + " is fit for mail from here"
	if n := r.count(probe.StatusWarn); n > 0 {
		text += ", with " + count(n, "warning")
	}
	if untried := r.untried(); untried != "" {
		text += " (not tried: " + untried + ")"
	}
	return text
}

// cutOff reports a step that the end of the time has cut off.
func (r *examined) cutOff() bool {
	for _, l := range r.report.Lines {
		if l.Status == probe.StatusSkip && strings.HasPrefix(l.Text, probe.OutOfTime) {
			return true
		}
	}
	return false
}

func (r *examined) count(s probe.Status) (n int) {
	for _, l := range r.report.Lines {
		if l.Status == s {
			n++
		}
	}
	return n
}

// untried names what a check leaves out unless it is told more, so that fit
// means no more than was seen.
func (r *examined) untried() string {
	var list []string
	if r.script.User == "" {
		list = append(list, "signing in, with --user")
	}
	if r.script.To == "" {
		list = append(list, "a recipient, with --from and --to")
	}
	return strings.Join(list, "; ")
}
