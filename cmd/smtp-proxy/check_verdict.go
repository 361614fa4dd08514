package main

import (
	"slices"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// verdict says in one line what a check comes to.
func (r *examined) verdict() string {
	name := r.target.Name
	if f := r.failure(); f.any {
		if aboutMail(f.phase) {
			return name + " does not take this mail: " + f.String()
		}
		return name + " is not fit for mail from here: " + f.String()
	}
	if r.undecided() {
		return name + ": nothing is known, as the time was up before a session came about; --timeout gives more"
	}
	if r.cutOff() {
		return name + ": nothing failed so far, and the time was up before the end; --timeout gives more"
	}
	if r.partial {
		return name + ": nothing failed in the steps that were taken"
	}
	text := name + " is fit for mail from here" + r.needs()
	if n := r.count(probe.StatusWarn); n > 0 {
		text += ", with " + inspect.Count(n, "warning")
	}
	if untried := r.untried(); untried != "" {
		text += " (not tried: " + untried + ")"
	}
	return text
}

// needs names the setting with which alone a smarthost is fit: a check finds
// out that a port speaks TLS from the first octet, a session under auto knows it
// of 465 only and waits for a greeting.
func (r *examined) needs() string {
	found := func(e session.Entry) bool { return e.Kind == session.KindGreeting && e.Secure }
	if r.target.Mode == upstream.ModeAuto && !r.target.Implicit() && slices.ContainsFunc(r.report.Dialogue, found) {
		return " with --upstream-tls implicit"
	}
	return ""
}

// aboutMail tells the phases in which a smarthost judges one sender, recipient
// or message, and may well take others.
func aboutMail(p session.Phase) bool {
	return slices.Contains([]session.Phase{session.PhaseMail, session.PhaseRcpt, session.PhaseData, session.PhaseDot}, p)
}

// cutOff reports a step that the end of the time has cut off.
func (r *examined) cutOff() bool { return slices.ContainsFunc(r.report.Lines, late) }

// undecided reports a check whose time was up before the session with the
// smarthost had said anything, so that it has neither failed nor gone well.
func (r *examined) undecided() bool {
	return slices.ContainsFunc(r.report.Lines, func(l probe.Line) bool { return late(l) && l.Step == stepDialogue })
}

const stepDialogue = "dialogue"

func late(l probe.Line) bool {
	return l.Status == probe.StatusSkip && strings.HasPrefix(l.Text, probe.OutOfTime)
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
