package probe

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

const nameTCP = "tcp"

// The bounds of the step: how many addresses are tried, and how much longer
// those that are silent get once one has answered.
const (
	maxContacts = 8
	deadWait    = 2500 * time.Millisecond
)

// TCPStep connects to every address of the smarthost. An app gets one of
// them, and not always the same.
func (steps) TCPStep() step {
	return step{
		name: nameTCP, rank: 20, after: []string{"dns"},
		about: "a connection to every address, and its round-trip time",
		run:   tcp,
	}
}

func tcp(ctx context.Context, x *examination) {
	addrs := x.addrs()
	if len(addrs) == 0 {
		x.say(nameTCP, Line{Status: StatusSkip, Text: "not tested: no address of " + x.target.Host + " is known"})
		return
	}
	tried := addrs[:min(len(addrs), maxContacts)]
	list := x.prober.connect(ctx, fanout{
		budget: x.target.Name, places: placesOf(x.target, tried),
		first: func(int) bool { return true }, linger: deadWait,
	})
	if ctx.Err() != nil {
		return
	}
	for i := range list {
		if list[i].answers() {
			x.known.contacts = append(x.known.contacts, list[i])
		}
		x.say(nameTCP, tcpLine(&list[i], list))
	}
	if left := len(addrs) - len(tried); left > 0 {
		x.say(nameTCP, Line{Status: StatusSkip, Text: fmt.Sprintf("%d further addresses are not tried: %d are enough", left, maxContacts)})
	}
	x.answer(x.prober.answer(x.target, tcpEntry(x.target, list)))
}

// addrs are the addresses to connect to.
func (x *examination) addrs() []netip.Addr {
	if len(x.known.addrs) > 0 {
		return x.known.addrs
	}
	if addr, err := netip.ParseAddr(x.target.Host); err == nil {
		return []netip.Addr{addr}
	}
	return nil
}

// placesOf are the addresses of a smarthost as targets of their own.
func placesOf(t upstream.Target, addrs []netip.Addr) (list []upstream.Target) {
	for _, addr := range addrs {
		at := t
		at.Host = addr.String()
		at.Name = net.JoinHostPort(at.Host, strconv.Itoa(t.Port))
		list = append(list, at)
	}
	return list
}

// tcpLine words one attempt; all are those beside it.
func tcpLine(c *contact, all []contact) Line {
	l := Line{Status: StatusFail, Took: c.took, Text: deadWords(c)}
	others := slices.ContainsFunc(all, func(o contact) bool { return o.answers() })
	switch {
	case c.spent:
		l.Status, l.Took = StatusSkip, 0
	case c.answers():
		l.Status, l.Text = StatusOK, aliveWords(c)
	case others && c.routeless() && c.addr.Is6() && answersIPv4(all):
		l.Status = StatusOK
		l.Text += "; IPv4 works, and an app turns to it at once"
	case others:
		l.Status = StatusWarn
		l.Text += "; " + besideWords(c)
	}
	return l
}

func answersIPv4(all []contact) bool {
	return slices.ContainsFunc(all, func(c contact) bool { return c.answers() && c.addr.Is4() })
}

// routeless reports that this machine itself has no way to the address, which
// it knows without sending anything.
func (c *contact) routeless() bool {
	return c.fault != nil && (c.fault.Errno == "ENETUNREACH" || c.fault.Errno == "EADDRNOTAVAIL" || c.fault.Errno == "EAFNOSUPPORT")
}

func aliveWords(c *contact) string {
	text := fmt.Sprintf("%s answers over %s", c.at.Name, familyWord(c.addr))
	if c.path.rtt > 0 {
		text += fmt.Sprintf(", round trip %s", rounded(c.path.rtt))
	}
	return text
}

func familyWord(addr netip.Addr) string {
	if addr.Is4() {
		return "IPv4"
	}
	return "IPv6"
}

// deadWords say how an attempt failed, and what that means.
func deadWords(c *contact) string {
	switch {
	case c.spent:
		return fmt.Sprintf("%s is not tried: %v", c.at.Name, errBudget)
	case c.fault == nil:
		return ""
	case c.routeless() && !c.addr.IsValid():
		return fmt.Sprintf("no route from this machine to any address of %s", c.at.Host)
	case c.routeless():
		return fmt.Sprintf("no route from this machine to %s: it has no %s connectivity", c.addr, familyWord(c.addr))
	}
	switch c.fault.Class {
	case session.FaultRefused:
		return fmt.Sprintf("%s refuses the connection: nothing listens there, or a firewall rejects it", c.at.Name)
	case session.FaultTimeout:
		return fmt.Sprintf("%s gives no answer in %s: it is down, or a firewall drops what is sent there", c.at.Name, rounded(c.took))
	case session.FaultUnreachable:
		return fmt.Sprintf("%s cannot be reached (%s): a router or this machine's own table has no way there", c.at.Name, c.fault.Text)
	case session.FaultPermission:
		return fmt.Sprintf("%s may not be connected to (%s): a firewall or policy of this machine forbids it", c.at.Name, c.fault.Text)
	}
	return fmt.Sprintf("%s: %s", c.at.Name, c.fault.Text)
}

// besideWords say what a dead address means where another one is alive.
func besideWords(c *contact) string {
	if c.fault.Class == session.FaultTimeout {
		return "an app that is given this address first waits until its connect time-out, and fails if it tries no other"
	}
	return "an app that tries one address only fails now and then"
}

// tcpEntry is what the step leaves for the diagnosis.
func tcpEntry(t upstream.Target, list []contact) session.Entry {
	e := session.Entry{Phase: session.PhaseConnect, Probe: &session.Probe{Name: nameTCP, Result: resultFail}}
	alive := 0
	for i := range list {
		c := &list[i]
		line := tcpLine(c, list)
		e.Probe.Found = append(e.Probe.Found, session.Found{What: c.addr.String(), Result: c.result(), Text: line.Text})
		e.Probe.Duration = max(e.Probe.Duration, c.took)
		if c.answers() {
			alive++
		}
	}
	if alive > 0 {
		e.Probe.Result = resultOK
	}
	e.Text = fmt.Sprintf("%d of %d addresses of %s answer on port %d", alive, len(list), t.Host, t.Port)
	return e
}
