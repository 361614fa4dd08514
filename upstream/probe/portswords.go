package probe

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

var errNoAddress = errors.New("the host has no address that is known")

// portsVerdict is what the ports of a host say together.
type portsVerdict struct {
	target upstream.Target
	own    *contact
	others []contact
}

// with lists the other ports of one kind, in their order.
func (v *portsVerdict) with(is func(*contact) bool) (ports []string) {
	for i := range v.others {
		if is(&v.others[i]) {
			ports = append(ports, strconv.Itoa(v.others[i].at.Port))
		}
	}
	return ports
}

func (c *contact) failed(class session.FaultClass) bool {
	return c.fault != nil && c.fault.Class == class
}

// open lists the ports that answer.
func (v *portsVerdict) open() []string { return v.with((*contact).answers) }

// forMail lists those of them on which mail is taken, in the order in which
// they are worth trying: those of submission first (RFC 8314, section 3.3), and
// last that of relaying, where smarthosts seldom take a sign-in.
func (v *portsVerdict) forMail() []string {
	ports := slices.DeleteFunc(v.open(), func(port string) bool { return port == strconv.Itoa(controlPort) })
	worth := map[string]int{"587": -2, "465": -1, "25": 1}
	slices.SortStableFunc(ports, func(a, b string) int { return worth[a] - worth[b] })
	return ports
}

// cause is connect.port-blocked when nothing else explains what is seen: the
// port is silent, and another one for mail is not. A refusal does not count,
// since a firewall on the way may send it as well as the host.
func (v *portsVerdict) cause() string {
	if v.own.failed(session.FaultTimeout) && len(v.forMail()) > 0 {
		return "connect.port-blocked"
	}
	return ""
}

func (v *portsVerdict) words() string {
	port := v.target.Port
	switch {
	case v.own.answers():
		return v.openWords()
	case v.own.failed(session.FaultTimeout):
		return v.silentWords()
	case v.own.failed(session.FaultRefused) && len(v.forMail()) > 0:
		return fmt.Sprintf("port %d is refused, %s: nothing listens on %d there, or a firewall rejects it; use %s",
			port, does(v.open(), "answers", "answer"), port, oneOf(v.forMail()))
	case v.own.failed(session.FaultRefused) && len(v.open()) > 0:
		return fmt.Sprintf("port %d is refused, %s, and no other port for mail: the host is up and takes no mail there", port, does(v.open(), "answers", "answer"))
	case v.own.failed(session.FaultRefused):
		return fmt.Sprintf("port %d is refused, and no other port answers: no mail service runs on the host, or a firewall rejects this machine", port)
	}
	if open := v.open(); len(open) > 0 {
		return fmt.Sprintf("%s; %s", deadWords(v.own), does(open, "answers", "answer"))
	}
	return deadWords(v.own) + "; no other port answers either"
}

// openWords say which other ports there are: they may be needed elsewhere.
func (v *portsVerdict) openWords() string {
	open := append([]string{strconv.Itoa(v.target.Port)}, v.open()...)
	text := "port " + open[0] + " answers"
	if len(open) > 1 {
		text = "ports " + list(open) + " answer"
	}
	if refused := v.with(func(c *contact) bool { return c.failed(session.FaultRefused) }); len(refused) > 0 {
		text += ", " + does(refused, "is refused", "are refused")
	}
	if silent := v.with(func(c *contact) bool { return c.failed(session.FaultTimeout) }); len(silent) > 0 {
		text += ", " + does(silent, "gives no answer", "give no answer")
	}
	return text
}

// silentWords tell a port that is blocked from a host that is down.
func (v *portsVerdict) silentWords() string {
	port := v.target.Port
	refused := v.with(func(c *contact) bool { return c.failed(session.FaultRefused) })
	silent := fmt.Sprintf("port %d gives no answer from here", port)
	switch {
	case len(v.forMail()) > 0:
		return fmt.Sprintf("%s, %s: something on the path blocks %d; use %s", silent, doToo(v.open()), port, oneOf(v.forMail()))
	case len(v.open()) > 0:
		return fmt.Sprintf("%s, nor does any other port for mail, and %s: the host is up, and mail is blocked on the path or not taken from this network",
			silent, doToo(v.open()))
	case len(refused) > 0:
		return fmt.Sprintf("%s, %s: something drops what goes to %d, and no port answers with a service", silent, does(refused, "is refused", "are refused"), port)
	}
	return fmt.Sprintf("no port of %s gives an answer from here (%s): the host is down, or all that goes to it is dropped",
		v.target.Host, list(append([]string{strconv.Itoa(port)}, v.with(func(c *contact) bool { return c.fault != nil })...)))
}

func does(ports []string, one, several string) string {
	if len(ports) == 1 {
		return ports[0] + " " + one
	}
	return list(ports) + " " + several
}

func doToo(ports []string) string { return does(ports, "does", "do") }

func oneOf(ports []string) string {
	if len(ports) == 1 {
		return ports[0]
	}
	return ports[0] + " or " + list(ports[1:])
}
