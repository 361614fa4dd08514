package diagnose

import (
	"net"
	"slices"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

const (
	probePorts  = "ports"
	controlPort = "443" // answers for the host, not for mail
	portBlocked = "connect.port-blocked"
)

// The steps that are left when the other ports are no way out: nobody needs to
// be told to try them.
const (
	letOut    = "Allow outgoing TCP to {host} port {port} in the firewall or security group; many clouds and lines block the ports of mail until asked."
	elsewhere = "Try from another network: if it works there, the block is on this side."
	rightHost = "Compare {host}:{port} with the provider's documentation: no mail port of this host takes connections from here."
	askOwner  = "If it is right, ask whoever runs {host} whether the mail service is up, and look at firewalls that reject."
)

// PortsUse: whether other ports of the host answer tells a port that is
// blocked from a host that is down. It is asked when a connection did not come
// about.
func (uses) PortsUse() use {
	return use{
		probe: probePorts,
		wants: func(f *facts) (Question, bool) {
			return Question{}, !f.connected && f.found("connect.timeout", "connect.refused", "connect.reset")
		},
		weigh: func(f *facts, answer *session.Entry, all []symptom) {
			if f.connected { // that the port can be reached is known
				return
			}
			p := readPorts(f.port, answer)
			for i := range all {
				switch s := &all[i]; s.cause {
				case "connect.timeout", portBlocked:
					p.silence(f, s)
				case "connect.refused", "connect.reset":
					p.refusal(f, s)
				}
			}
		},
	}
}

// ports is how the ports of a host answered. Those of mail are listed, in the
// order in which they are worth trying.
type ports struct {
	answer  *session.Entry
	own     string // how the session's port answered: ok, refused, timeout, unreachable; empty when it was not asked
	open    []string
	refused []string
	silent  []string
	control string // how the control port answered
}

func readPorts(own string, answer *session.Entry) *ports {
	p := &ports{answer: answer}
	for _, found := range answer.Probe.Found {
		switch {
		case found.What == own:
			p.own = found.Result
		case found.What == controlPort:
			p.control = found.Result
		case found.Result == "ok":
			p.open = append(p.open, found.What)
		case found.Result == "refused":
			p.refused = append(p.refused, found.What)
		default:
			p.silent = append(p.silent, found.What)
		}
	}
	slices.SortStableFunc(p.open, func(a, b string) int { return worth(a) - worth(b) })
	return p
}

// worth puts the ports of submission first (RFC 8314, section 3.3), and that
// of relaying, where smarthosts seldom take a sign-in, last.
func worth(port string) int {
	switch port {
	case "587":
		return 0
	case "465":
		return 1
	case "25":
		return 3
	}
	return 2
}

// alive reports whether anything of the host has answered, and how it did.
func (p *ports) alive() bool {
	return len(p.open) > 0 || len(p.refused) > 0 || p.control == "ok" || p.control == "refused"
}

// silence weighs the answer to a dial that heard nothing.
func (p *ports) silence(f *facts, s *symptom) {
	switch {
	case p.own == "ok":
		s.proof(p.answer, again(p.answer)+", port {port} answered: what dropped the connection requests has passed, or drops some of them only.")
	case p.own == "refused":
		s.proof(p.answer, again(p.answer)+", port {port} was refused: "+p.words()+".")
	case len(p.open) > 0:
		p.blocked(f, s)
	case p.alive():
		s.proof(p.answer, "The host is up: "+p.words()+". No mail port of it can be reached from here: something drops mail on the way, or the host's own firewall does.")
		s.fix = []string{letOut, elsewhere}
	default:
		s.proof(p.answer, "The whole host is silent from here ("+p.words()+"): it is not this port alone. Either the host is down, or all that goes to it is dropped.")
		s.fix = []string{"Find out whether {host} is up at all: see the provider's status page. While it is silent on every port, another port is of no use.", letOut, elsewhere}
	}
}

// blocked is a port that is silent on a host that is not.
func (p *ports) blocked(f *facts, s *symptom) {
	s.cause, s.certainty = portBlocked, inspect.Certain
	s.proof(p.answer, "Asked from here: "+p.words()+".")
	s.fix = append(p.moves(f), "If it has to be port {port}, have it opened for {host}: in the firewall or security group here, else by the hoster or the line's provider, who often block port 25 until asked.")
}

// refusal weighs the answer to a dial that was answered with a reset.
func (p *ports) refusal(f *facts, s *symptom) {
	switch {
	case p.own == "ok":
		s.proof(p.answer, again(p.answer)+", port {port} answered: the service was being started, or is at its limit of connections now and then.")
		s.first = append([]string{"Send again: port {port} of {host} answers now."}, s.first...)
	case len(p.open) > 0:
		s.proof(p.answer, "The service listens elsewhere: "+p.words()+".")
		s.fix = append(p.moves(f), "If it has to be port {port}, ask whoever runs {host} why nothing listens there.")
	case p.control == "ok" || len(p.silent) > 0 && p.control != "refused":
		s.proof(p.answer, "No mail port of the host can be reached from here: "+p.words()+".")
		s.fix = []string{rightHost, askOwner}
	default:
		s.proof(p.answer, "Every port that was asked refuses ("+p.words()+"): the mail service is down, or a firewall rejects what comes from here.")
		s.fix = []string{rightHost, askOwner}
	}
}

// moves are the steps to the port that works, of which there is one.
func (p *ports) moves(f *facts) []string {
	step := "Use port " + p.open[0] + ", which answers from here: " + settings(f.host, p.open[0], f.s.Passthrough)
	if more := p.open[1:]; len(more) > 0 {
		step += " (so does " + listed(more) + ")"
	}
	return []string{step + "."}
}

// settings is how a port is set.
func settings(host, port string, passthrough bool) string {
	at := net.JoinHostPort(host, port)
	switch {
	case port == "465" && passthrough:
		return "--upstream " + at + ", and SSL/TLS (not STARTTLS) in the app"
	case port == "465":
		return "--upstream smtps://" + at
	case port == "25":
		return "--upstream " + at + ", if the smarthost takes mail from signed-in users there; it is the port of mail between servers"
	}
	return "--upstream " + at
}
