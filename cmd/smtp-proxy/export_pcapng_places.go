package main

import (
	"fmt"
	"net/netip"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// places says between which addresses the legs of a session went.
type places struct {
	app   netip.AddrPort // the app's end
	other netip.AddrPort // where it connected to, as far as it knows; no port where the record has none
	local netip.Addr     // of the proxy towards the smarthost
}

func placesOf(s *inspect.Session) places {
	p := places{app: parsePlace(s.App.Addr)}
	for i := range s.Events {
		e := &s.Events[i]
		switch {
		case e.Kind != session.KindOpen:
		case e.Leg == session.App:
			_, to, _ := strings.Cut(e.Text, ", redirected on its way to ")
			p.other = parsePlace(to)
		case e.Dial != nil && e.Dial.Local != "":
			p.local = parsePlace(e.Dial.Local).Addr()
		}
	}
	if !p.other.Addr().IsValid() || p.other.Addr().Is4() != p.app.Addr().Is4() {
		p.other = netip.AddrPortFrom(beside(p.app.Addr()), 0)
	}
	return p
}

// parsePlace reads ip:port. What is none becomes 0.0.0.0.
func parsePlace(text string) netip.AddrPort {
	at, err := netip.ParseAddrPort(text)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())
}

// beside is the address of the other end where the record has none: on this
// machine the same, else none.
func beside(addr netip.Addr) netip.Addr {
	switch {
	case addr.IsLoopback():
		return addr
	case addr.Is6():
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// of returns the two ends of a connection as they are to be written, and what
// the reader has to be told of them.
func (p places) of(a *act) (from, to netip.AddrPort, told []string) {
	if a.leg == session.App {
		from, to = p.app, p.other
	} else {
		from, to = parsePlace(a.dial.Local), parsePlace(a.dial.Addr)
	}
	if !to.Addr().IsValid() {
		to = netip.AddrPortFrom(beside(from.Addr()), to.Port())
	}
	if !from.Addr().IsValid() || from.Addr().Is4() != to.Addr().Is4() {
		from = p.unknown(to)
		told = append(told, "the address and port that this came from are not in the record")
	}
	if shown := shownPort(to.Port()); shown != to.Port() {
		told = append(told, fmt.Sprintf("%s; it is written as %d so that Wireshark takes it for SMTP", portText(to.Port()), shown))
		to = netip.AddrPortFrom(to.Addr(), shown)
	}
	return from, to, told
}

func portText(port uint16) string {
	if port == 0 {
		return "the port here was the proxy's own, which is not in the record"
	}
	return fmt.Sprintf("the port here was %d", port)
}

// anyPort stands for a port that is not known: the first of those that are
// given to whoever connects (RFC 6335, section 6).
const anyPort = 49152

// unknown is the proxy's end of a connection that never was.
func (p places) unknown(to netip.AddrPort) netip.AddrPort {
	addr := p.local
	if !addr.IsValid() || addr.Is4() != to.Addr().Is4() {
		addr = beside(to.Addr())
	}
	return netip.AddrPortFrom(addr, anyPort)
}

// shownPort is a port that Wireshark knows for SMTP.
func shownPort(port uint16) uint16 {
	if port == portSubmission {
		return port
	}
	return portSMTP
}

// names describes the legs as interfaces.
func (p places) names() legNames {
	return legNames{
		{session.App.String(), "between the app " + p.app.String() + " and smtp-proxy"},
		{session.Upstream.String(), "between smtp-proxy and the smarthost"},
	}
}
