package probe

import (
	"context"
	"fmt"
	"strings"
	"time"

	"smtp-proxy/upstream"
)

// BlocklistsStep asks the DNS blocklists about this machine's address.
func (steps) BlocklistsStep() step {
	return step{
		name: nameBlocklists, rank: 61, after: []string{nameEgress},
		about: "whether DNS blocklists have this machine's address",
		run:   func(ctx context.Context, x *examination) { x.blocklists(ctx) },
	}
}

func (x *examination) blocklists(ctx context.Context) {
	if !x.want.Blocklists {
		x.say(nameBlocklists, Line{Status: StatusSkip, Text: "not tested: the blocklists were not to be asked"})
		return
	}
	addr, began := x.known.egress, time.Now()
	l, cached, err := x.prober.listed(ctx, addr)
	if err != nil {
		x.say(nameBlocklists, Line{Status: StatusSkip, Text: skipped(nameBlocklists, err).Text})
		return
	}
	e := l.entry(addr)
	e.Probe.Cached = cached
	if heaviest(l.opinions) == weightMajor {
		e.Probe.Cause = causeBlocklisted
	}
	x.answer(x.prober.answer(upstream.Target{Name: addr.String()}, e))
	for _, line := range listLines(l.opinions) {
		x.say(nameBlocklists, line)
	}
	if n := countOf(l.opinions, listClear); n > 0 {
		text := fmt.Sprintf("%s is not on %s: %s", addr, plural(n, "list"), strings.Join(namesOf(l.opinions, listClear), ", "))
		if cached {
			text += fmt.Sprintf(" (asked %s ago)", x.prober.options.Now().Sub(l.at).Round(time.Minute))
		}
		x.say(nameBlocklists, Line{Status: StatusOK, Took: time.Since(began), Text: text})
	}
}

// listLines makes a line of each listing, and of each reason for which lists
// could not be asked.
func listLines(all []listOpinion) (lines []Line) {
	var silent []string
	for _, o := range all {
		line := Line{Took: o.took, Text: o.list.Name + ": " + o.text}
		switch o.result {
		case listListed:
			line.Status, line.Text = o.status(), o.list.Name+" lists it: "+o.text+o.hint()
		case listRefused:
			line.Status = StatusSkip
		case listUnusable:
			line.Status, line.Text = StatusSkip, o.list.Name+" is not usable: it "+o.text
		case listSilent:
			silent = append(silent, o.list.Name)
			continue
		default:
			continue
		}
		lines = append(lines, line)
	}
	if len(silent) > 0 {
		lines = append(lines, Line{Status: StatusSkip, Text: "no answer of " + strings.Join(silent, ", ")})
	}
	return lines
}

// status is a warning where mail by way of a smarthost will hardly suffer.
func (o listOpinion) status() Status {
	if o.weight == weightMajor {
		return StatusFail
	}
	return StatusWarn
}

func (o listOpinion) hint() string {
	switch o.weight {
	case weightPolicy:
		return " (matters only when this machine delivers mail itself, not when it signs in to a smarthost)"
	case weightMinor:
		return " (few receivers refuse for this list)"
	}
	return ""
}
