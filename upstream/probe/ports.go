package probe

import (
	"context"
	"net"
	"slices"
	"strconv"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

const namePorts = "ports"

// controlPort is one that no firewall against mail blocks: when it answers, the
// host is up and the path to it is whole.
const controlPort = 443

// otherWait is how much longer the other ports get once the smarthost's own has
// answered: nothing depends on them then. It lets a lost SYN be sent again.
const otherWait = 1200 * time.Millisecond

// otherPorts are those on which smarthosts take mail (RFC 5321, RFC 6409,
// RFC 8314; 2525 by custom of the providers), and the control.
func otherPorts() []int { return []int{25, 465, 587, 2525, controlPort} }

// PortsStep tells "blocked here" from "down".
func (steps) PortsStep() step {
	return step{
		name: namePorts, rank: 21, after: []string{"dns"},
		about: "the other ports for mail, and 443 as a control",
		run: func(ctx context.Context, x *examination) {
			e := x.prober.answer(x.target, x.prober.ports(ctx, x.target))
			if ctx.Err() != nil {
				return
			}
			x.say(namePorts, Line{Status: statusOf(e.Probe.Result), Text: e.Text, Took: e.Probe.Duration})
			x.answer(e)
		},
	}
}

func statusOf(result string) Status {
	switch result {
	case resultOK:
		return StatusOK
	case resultSkip:
		return StatusSkip
	}
	return StatusFail
}

// Ports connects to the smarthost's port and, side by side with it, to the
// others of Options.OtherPorts, for at most five seconds. The result is fail
// when the smarthost's own does not answer, with the cause connect.port-blocked
// when it is silent and another one for mail answers.
func (p *Prober) Ports(ctx context.Context, t upstream.Target) session.Entry {
	return p.remembered(ctx, t, namePorts, p.ports)
}

// ports asks without the gate and without the memory: a check has both to
// itself.
func (p *Prober) ports(ctx context.Context, t upstream.Target) session.Entry {
	list := p.connect(ctx, fanout{
		budget: t.Name, places: p.portsOf(t),
		first: func(i int) bool { return i == 0 }, linger: otherWait,
	})
	v := portsVerdict{target: t, own: &list[0], others: list[1:]}
	e := session.Entry{Phase: session.PhaseConnect, Fault: v.own.fault, Probe: &session.Probe{
		Name: namePorts, Result: resultFail, Cause: v.cause(), Duration: slowest(list),
	}}
	switch {
	case v.own.fault == nil && !v.own.spent:
		e.Probe.Result = resultOK
	case slices.ContainsFunc(list, func(c contact) bool { return c.spent }): // what was not tried may answer
		return skipped(namePorts, errBudget)
	case v.own.fault.Op == "lookup":
		return skipped(namePorts, &Unreached{Fault: v.own.fault, Err: errNoAddress})
	}
	e.Text = v.words()
	e.Probe.Found = foundPorts(list)
	return e
}

// slowest is how long the last answer took. The goodbyes behind it are nobody's
// concern.
func slowest(list []contact) (took time.Duration) {
	for i := range list {
		took = max(took, list[i].took)
	}
	return took
}

// foundPorts are the ports that were tried.
func foundPorts(list []contact) (found []session.Found) {
	for i := range list {
		if c := &list[i]; !c.spent {
			found = append(found, session.Found{What: strconv.Itoa(c.at.Port), Result: c.result(), Text: deadWords(c)})
		}
	}
	return found
}

// portsOf are the smarthost's port and then the others, as targets.
func (p *Prober) portsOf(t upstream.Target) []upstream.Target {
	list := []upstream.Target{t}
	for _, port := range p.options.OtherPorts {
		if slices.ContainsFunc(list, func(at upstream.Target) bool { return at.Port == port }) {
			continue
		}
		list = append(list, upstream.Target{
			Name: net.JoinHostPort(t.Host, strconv.Itoa(port)), Host: t.Host, Port: port, Mode: upstream.ModeAuto,
		})
	}
	return list
}
