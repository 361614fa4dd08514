package policy

import (
	"fmt"
	"net/netip"
	"strings"
)

// Route is one listener and the smarthost behind it. In the configuration
// file a [[route]] table has these keys; an empty field is taken from the top
// level.
type Route struct {
	Name        string `toml:"name"`         // stands in each session's record
	Listen      string `toml:"listen"`       // host:port where the app connects; localhost is 127.0.0.1 and ::1
	Upstream    string `toml:"upstream"`     // host:port, smtp://, starttls://, smtps://, or "sandbox"
	UpstreamTLS string `toml:"upstream-tls"` // auto, starttls, implicit, none
	UpstreamCA  string `toml:"upstream-ca"`  // PEM file with further trusted roots
	AppTLS      string `toml:"app-tls"`      // none, offer, require, implicit
	TLS         string `toml:"tls"`          // terminate, passthrough
	AllowFrom   Nets   `toml:"allow-from"`   // who may connect; empty is this machine only
	Capture     string `toml:"capture"`      // full, headers, none: what is kept of messages
}

// over returns r with each empty field taken from below.
func (r Route) over(below Route) Route {
	r.Name = or(r.Name, below.Name)
	r.Listen = or(r.Listen, below.Listen)
	r.Upstream = or(r.Upstream, below.Upstream)
	r.UpstreamTLS = or(r.UpstreamTLS, below.UpstreamTLS)
	r.UpstreamCA = or(r.UpstreamCA, below.UpstreamCA)
	r.AppTLS = or(r.AppTLS, below.AppTLS)
	r.TLS = or(r.TLS, below.TLS)
	r.Capture = or(r.Capture, below.Capture)
	if len(r.AllowFrom) == 0 {
		r.AllowFrom = below.AllowFrom
	}
	return r
}

// inherit is over, less what makes a route its own: two routes never share a
// listener, and a route that names its upstream brings its own way to it.
func (r Route) inherit(top Route) Route {
	top.Name, top.Listen, top.Upstream = "", "", ""
	return r.over(top)
}

// Nets is a list of address ranges.
type Nets []netip.Prefix

// ParseNets reads ranges separated by commas. A single address is the range
// of itself.
func ParseNets(text string) (Nets, error) {
	var nets Nets
	for _, part := range strings.Split(text, ",") {
		n, err := parseNet(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		nets = append(nets, n)
	}
	return nets, nil
}

func parseNet(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	n, err := netip.ParsePrefix(text)
	if err != nil {
		return n, fmt.Errorf("%q is no address range: write it as 172.17.0.0/16 or 192.0.2.7", text)
	}
	return n.Masked(), nil
}

// Contains reports whether addr is in one of the ranges.
func (n Nets) Contains(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, p := range n {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// String returns the ranges as [ParseNets] reads them.
func (n Nets) String() string {
	words := make([]string, len(n))
	for i, p := range n {
		words[i] = p.String()
	}
	return strings.Join(words, ",")
}

// UnmarshalTOML reads a string as ParseNets does, or a list of such strings.
func (n *Nets) UnmarshalTOML(value any) error {
	text, err := plain(value)
	if err != nil {
		return err
	}
	*n, err = ParseNets(text)
	return err
}
