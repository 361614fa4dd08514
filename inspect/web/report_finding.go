package web

import (
	"strconv"
	"strings"
	"time"

	"smtp-proxy/inspect"
)

// finding is one card.
type finding struct {
	Number     int
	Cause      string
	Title      string
	Certainty  string
	Why        []string // paragraphs
	Evidence   []evidence
	RuledOut   []string
	Fix        []string
	Advice     string // now, later, after-fix, never
	Retry      string
	Schedule   string
	Who        string
	Often      string
	Changed    []string
	References []string
	Rule       string
}

// evidence is a text, and the line of the dialogue that has it; 0 for none.
type evidence struct {
	Line int
	Text string
}

func findingsOf(s *inspect.Session, zone *time.Location) []finding {
	there := map[int]bool{}
	for i := range s.Events {
		there[s.Events[i].Seq] = true
	}
	var all []finding
	for i := range s.Findings {
		all = append(all, findingOf(i+1, &s.Findings[i], there, zone))
	}
	return all
}

func findingOf(n int, f *inspect.Finding, there map[int]bool, zone *time.Location) finding {
	out := finding{
		Number: n, Cause: f.Cause, Title: f.Title, Certainty: string(f.Certainty), Why: paragraphs(f.Explanation),
		RuledOut: f.RuledOut, Fix: f.Fix, Advice: f.Retry.Advice, Retry: retry(f.Retry),
		Schedule: schedule(f.Retry), Who: who(f.Side), Often: often(f.Recurrence, zone), References: f.Refs, Rule: f.Rule,
	}
	for _, c := range f.Changed {
		if !strings.Contains(f.Explanation, c) {
			out.Changed = append(out.Changed, c)
		}
	}
	for _, e := range f.Evidence {
		line := 0
		if there[e.Event] {
			line = e.Event
		}
		if e.Text != "" || line > 0 {
			out.Evidence = append(out.Evidence, evidence{line, strings.ReplaceAll(e.Text, "\n", " ")})
		}
	}
	return out
}

func paragraphs(text string) []string {
	var all []string
	for p := range strings.SplitSeq(text, "\n") {
		if p != "" {
			all = append(all, p)
		}
	}
	return all
}

// retry says in words whether to send again; the rules mostly do.
func retry(r inspect.Retry) string {
	if r.Text != "" {
		return r.Text
	}
	switch r.Advice {
	case "now":
		return "send again at once"
	case "later":
		return "send again later"
	case "after-fix":
		return "send again once it is put right"
	case "never":
		return "do not send this again"
	}
	return ""
}

// schedule says when to try again, where that is known in seconds.
func schedule(r inspect.Retry) string {
	var tries []string
	for _, s := range r.Schedule {
		tries = append(tries, inspect.Seconds(s))
	}
	switch {
	case len(tries) > 0:
		return "Tries, each after the one before: " + strings.Join(tries, ", ")
	case r.AfterS > 0:
		return "First try: in " + inspect.Seconds(r.AfterS)
	}
	return ""
}

func who(side string) string {
	switch side {
	case "app":
		return "The app: its settings or its code"
	case "operator":
		return "The operator of the host that the app and the proxy run on"
	case "network":
		return "Whoever runs the network in between"
	case "upstream":
		return "The operator of the smarthost, or the account there"
	case "recipient":
		return "The recipient's side"
	}
	return side
}

// often says how many sessions had the cause. The session at hand counts, so
// one of one says nothing.
func often(r *inspect.Recurrence, zone *time.Location) string {
	if r == nil || r.Of < 2 {
		return ""
	}
	text := "In " + strconv.Itoa(r.Seen) + " of the last " + inspect.Count(r.Of, "session") + " to this upstream"
	if !r.Since.IsZero() {
		text += " since " + r.Since.In(zone).Format("2006-01-02 15:04 MST")
	}
	return text
}
