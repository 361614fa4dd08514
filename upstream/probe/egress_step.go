package probe

import (
	"context"
	"fmt"
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

const (
	nameEgress = "egress"
	partName   = "ptr"
)

// EgressStep finds this machine's address as the smarthost sees it, and that
// address's name.
func (steps) EgressStep() step {
	return step{
		name: nameEgress, also: []string{partName}, rank: 60, after: []string{"dialogue"},
		about: "this machine's address as the smarthost sees it, and its name",
		run:   func(ctx context.Context, x *examination) { x.egress(ctx) },
	}
}

func (x *examination) egress(ctx context.Context) {
	addr, how := EgressOf(x.known.dialogue)
	if !addr.IsValid() {
		if how != noConnection {
			how = "not known: " + how
		}
		x.say(nameEgress, Line{Status: StatusSkip, Text: how})
		return
	}
	x.known.egress = addr
	x.say(nameEgress, Line{Status: StatusOK, Text: fmt.Sprintf("the smarthost sees %s (%s)", addr, how)})
	limited, cancel := context.WithTimeout(ctx, min(listsTime, x.prober.options.Timeout))
	defer cancel()
	n := nameOf(limited, x.prober.options.Connector, addr)
	if ctx.Err() != nil {
		return
	}
	line := n.line()
	x.say(nameEgress, line)
	x.answer(x.prober.answer(upstream.Target{Name: addr.String()}, n.entry(line)))
}

// line says what the name of an address is worth. None of it is a fault of mail
// that goes by way of a smarthost, so none fails.
func (n naming) line() Line {
	l := Line{Step: partName, Status: StatusWarn, Took: n.took}
	names := list(n.names)
	const direct = "; matters only to mail that this machine delivers itself"
	switch n.state {
	case nameConfirmed:
		l.Status, l.Text = StatusOK, fmt.Sprintf("%s is %s, and that name leads back to it", n.addr, n.names[0])
	case nameGeneric:
		l.Text = fmt.Sprintf("%s is %s, a provider's name for a line (%s)%s", n.addr, n.names[0], n.why, direct)
	case nameUnconfirmed:
		l.Text = fmt.Sprintf("%s says that it is %s, and that name does not lead back to it%s", n.addr, names, direct)
	case nameNone:
		l.Text = fmt.Sprintf("%s has no name (no PTR record)%s", n.addr, direct)
	default:
		l.Status, l.Text = StatusSkip, fmt.Sprintf("the name of %s was not found out: %s", n.addr, n.why)
	}
	return l
}

// entry is the record of it: a fact for the diagnosis, no finding of its own.
func (n naming) entry(l Line) session.Entry {
	result := map[string]string{nameConfirmed: resultOK, nameGeneric: resultOK, nameUnknown: resultSkip}[n.state]
	return session.Entry{Text: l.Text, Probe: &session.Probe{
		Name: nameEgress, Result: orElse(result, resultFail), Duration: n.took,
		Found: []session.Found{{What: n.addr.String(), Result: n.state, Text: strings.Join(n.names, ", ")}},
	}}
}
