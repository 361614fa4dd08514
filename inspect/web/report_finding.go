package web

import (
	"net/url"
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
	Fix        []fixStep
	Advice     string // now, later, after-fix, never
	Retry      string
	Schedule   string
	Who        string
	Often      string
	Changed    []string
	References []string
	Rule       string
	Site       bool   // it stands on a page of the site: causes are links, and commands can be copied
	Before     string // the list of sessions with this cause; empty for none
}

// evidence is a text, and the line of the dialogue that has it; 0 for none.
type evidence struct {
	Line int
	At   string // the address of the line
	Text string
}

// cards words findings.
type cards struct {
	zone     *time.Location
	lines    map[int]bool // what evidence may lead to
	dialogue string       // the page with the lines; empty when they stand beside the cards
	site     bool
	upstream string // of the session, for the list of those like it
}

func findingsOf(s *inspect.Session, c cards) []finding {
	c.lines, c.upstream = map[int]bool{}, s.Upstream.Name
	for i := range s.Events {
		c.lines[s.Events[i].Seq] = true
	}
	return c.all(s.Findings)
}

// findings words what was found outside a session: in pasted text, by a check.
func (s *Site) findings(list []inspect.Finding) []finding {
	return cards{zone: s.Zone, site: true}.all(list)
}

func (c cards) all(list []inspect.Finding) []finding {
	var all []finding
	for i := range list {
		all = append(all, c.one(i+1, &list[i]))
	}
	return all
}

func (c cards) one(n int, f *inspect.Finding) finding {
	out := finding{
		Number: n, Cause: f.Cause, Title: f.Title, Certainty: string(f.Certainty), Why: paragraphs(f.Explanation),
		RuledOut: f.RuledOut, Advice: f.Retry.Advice, Retry: retry(f.Retry), Schedule: schedule(f.Retry), Who: who(f.Side),
		Often: often(f.Recurrence, c.zone), References: f.Refs, Rule: f.Rule, Site: c.site, Before: c.before(f.Cause),
	}
	for i, step := range f.Fix {
		out.Fix = append(out.Fix, fixStepOf(step, c.site, n, i+1))
	}
	for _, change := range f.Changed {
		if !strings.Contains(f.Explanation, change) {
			out.Changed = append(out.Changed, change)
		}
	}
	for _, e := range f.Evidence {
		if shown := c.evidence(e); shown.Text != "" || shown.Line > 0 {
			out.Evidence = append(out.Evidence, shown)
		}
	}
	return out
}

func (c cards) evidence(e inspect.Evidence) evidence {
	out := evidence{Text: strings.ReplaceAll(e.Text, "\n", " ")}
	if c.lines[e.Event] {
		out.Line, out.At = e.Event, c.dialogue+"#line-"+strconv.Itoa(e.Event)
	}
	return out
}

// before is the address of the list of sessions to the same upstream with the
// same cause. A name that the filter's language cannot hold is left out.
func (c cards) before(cause string) string {
	if !c.site || c.upstream == "" || strings.ContainsAny(c.upstream+cause, " \"\\*") {
		return ""
	}
	return "/?" + url.Values{"q": {"cause:" + cause + " upstream:" + c.upstream}}.Encode()
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
	for i := 0; i < len(r.Schedule); {
		same := i + 1
		for same < len(r.Schedule) && r.Schedule[same] == r.Schedule[i] {
			same++
		}
		try := inspect.Seconds(r.Schedule[i])
		if n := same - i; n > 1 {
			try += " (" + strconv.Itoa(n) + " times)"
		}
		tries, i = append(tries, try), same
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
