package upstream

import (
	"net"
	"net/netip"
	"time"

	"smtp-proxy/proxy/session"
)

// KeepAlive is how a peer that has gone without a word is noticed.
func (c *Connector) KeepAlive() net.KeepAliveConfig { return keepAlive() }

// Address returns the address of a target that is given as one and may be
// connected to without more ado. Whoever does so himself records it by Reached
// when it goes well, and leaves it to Connect when it does not.
func (c *Connector) Address(t Target) (netip.AddrPort, bool) {
	addr, err := netip.ParseAddr(t.Host)
	if err != nil || addr.Zone() != "" {
		return netip.AddrPort{}, false
	}
	to := netip.AddrPortFrom(addr, uint16(t.Port))
	return to, c.own == nil || !c.own(to)
}

// Reached is the entry of a connection to a target's Address.
func (c *Connector) Reached(t Target, local netip.AddrPort, at time.Time, took time.Duration) session.Entry {
	to, _ := c.Address(t)
	e := connectEntry(at)
	e.Kind = session.KindOpen
	e.Dial = &session.Dial{Host: t.Host, Addr: to.String(), Family: familyOf(to.Addr()), Local: local.String(), Duration: took}
	e.Text = opened(e.Dial)
	return e
}

func familyOf(addr netip.Addr) string {
	if addr.Is4() {
		return "ipv4"
	}
	return "ipv6"
}

func opened(d *session.Dial) string {
	return "connected to " + d.Addr + " from " + d.Local + " in " + brief(d.Duration).String()
}
