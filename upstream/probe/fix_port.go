package probe

import (
	"context"
	"net"
	"slices"
	"strconv"

	"smtp-proxy/upstream"
)

// PortRemedy tries the other ports of the host on which mail is taken, each in
// the way that it turns out to speak.
func (remedies) PortRemedy() remedy { return remedy{cost: 10, propose: otherPortsOf} }

func otherPortsOf(_ context.Context, s *search, at outcome) (list []settings) {
	mail := at.failedAt(partMail) && s.want.Script.User == ""
	if at.stage < stageDNS || !at.onTheWay() && !at.unfinished() && !mail {
		return nil
	}
	if at.began.target.Port != s.base.began.target.Port {
		return nil // one change of port is enough
	}
	for _, port := range s.ports() {
		next := at.began
		next.target = reached(at.began.target, at.began.target.Host, port)
		list = append(list, next)
	}
	return list
}

// ports are those of submission first (RFC 8314, section 3.3).
func (s *search) ports() (ports []int) {
	for _, port := range s.prober.options.OtherPorts {
		if port != controlPort && port != s.base.began.target.Port {
			ports = append(ports, port)
		}
	}
	worth := map[int]int{587: -2, 465: -1, 2525: 1}
	slices.SortStableFunc(ports, func(a, b int) int { return worth[a] - worth[b] })
	return ports
}

// reached is a target at another place, its TLS left to be found out.
func reached(t upstream.Target, host string, port int) upstream.Target {
	t.Host, t.Port, t.Mode = host, port, upstream.ModeAuto
	t.Name = net.JoinHostPort(host, strconv.Itoa(port))
	return t
}
