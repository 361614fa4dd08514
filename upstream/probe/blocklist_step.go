package probe

import (
	"context"
	"fmt"
	"net/netip"
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
	for _, line := range l.lines(addr) {
		if cached {
			line.Took = 0
			line.Text += x.prober.age(l.at)
		} else if line.Status == StatusOK {
			line.Took = time.Since(began)
		}
		x.say(nameBlocklists, line)
	}
}

// age says how old an answer is, if it is not quite new.
func (p *Prober) age(at time.Time) string {
	if old := p.options.Now().Sub(at); old >= time.Minute {
		return fmt.Sprintf(" (asked %d min ago)", int(old.Minutes()))
	}
	return ""
}

// lines make one of each listing, one of all lists that do not have it, and one
// of each reason for which others could not be asked. A listing is no failure:
// a smarthost that heeds it says so itself.
func (l listed) lines(addr netip.Addr) (lines []Line) {
	var without []Line
	var silent []string
	why := ""
	for _, o := range l.opinions {
		switch o.result {
		case listListed:
			lines = append(lines, Line{Status: StatusWarn, Took: o.took, Text: o.list.Name + " lists it: " + o.text + o.hint() + "; " + o.page})
		case listRefused:
			without = append(without, Line{Status: StatusSkip, Took: o.took, Text: o.list.Name + ": " + o.text})
		case listUnusable:
			without = append(without, Line{Status: StatusSkip, Took: o.took, Text: o.list.Name + " is not usable: it " + o.text})
		case listSilent:
			silent, why = append(silent, o.list.Name), orElse(why, o.text)
		}
	}
	if clear := namesOf(l.opinions, listClear); len(clear) > 0 {
		lines = append(lines, Line{Status: StatusOK, Text: fmt.Sprintf("%s is not on %s: %s", addr, plural(len(clear), "list"), strings.Join(clear, ", "))})
	}
	if len(silent) > 0 {
		without = append(without, Line{Status: StatusSkip, Text: fmt.Sprintf("no answer of %s (%s)", strings.Join(silent, ", "), why)})
	}
	return append(lines, without...)
}

func (o listOpinion) hint() string {
	switch o.weight {
	case weightMajor:
		return " (many receivers refuse for this list)"
	case weightPolicy:
		return " (matters to a machine that delivers mail itself, not to one that signs in to a smarthost)"
	case weightMinor:
		return " (few receivers refuse for this list)"
	}
	return ""
}
