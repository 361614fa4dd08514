package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
)

// Listen opens the ports of all routes. On error none is left open, and the
// error says what to do about it.
func (s *Server) Listen() error {
	for i := range s.options.Routes {
		route := &s.options.Routes[i]
		for _, addr := range route.Listen {
			if err := s.listen(addr, route); err != nil {
				s.closeListeners()
				return err
			}
		}
	}
	s.shareListeners()
	return nil
}

// listen opens one address. "localhost" is both loopbacks, on one port; a
// machine without IPv6 has the first only.
func (s *Server) listen(addr string, route *Route) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("listen on %q: %s; write host:port", addr, plainAddrError(err))
	}
	if host != "localhost" {
		_, err := s.bind(net.JoinHostPort(host, port), route)
		return err
	}
	bound, err := s.bind(net.JoinHostPort("127.0.0.1", port), route)
	if err != nil {
		return err
	}
	_, err = s.bind(net.JoinHostPort("::1", strconv.Itoa(int(bound.Port()))), route)
	if err != nil && (port == "0" || !errors.Is(err, syscall.EADDRINUSE)) {
		return nil // no IPv6 here
	}
	return err
}

func (s *Server) bind(addr string, route *Route) (netip.AddrPort, error) {
	var c net.ListenConfig
	if route.Transparent {
		c.Control = takeForeign
	}
	l, err := c.Listen(context.Background(), "tcp", addr)
	if err != nil {
		return netip.AddrPort{}, listenError(addr, err)
	}
	bound := addrOf(l.Addr())
	s.listeners = append(s.listeners, listener{Listener: l, route: route})
	s.own[bound] = true
	return bound, nil
}

// listenError says what to do about a port that cannot be opened.
func listenError(addr string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("listen on %s: %w: another program has this port; stop it, or name another with --listen", addr, syscall.EADDRINUSE)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("listen on %s: %w: ports below 1024 need a privilege; use one above, or give CAP_NET_BIND_SERVICE", addr, syscall.EACCES)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("listen on %s: %w: this machine has no such address", addr, syscall.EADDRNOTAVAIL)
	}
	return fmt.Errorf("listen on %s: %w", addr, err)
}

func plainAddrError(err error) string {
	var e *net.AddrError
	if errors.As(err, &e) {
		return e.Err
	}
	return err.Error()
}

// Addrs returns the addresses that are open, those of the first route first.
func (s *Server) Addrs() []netip.AddrPort {
	addrs := make([]netip.AddrPort, len(s.listeners))
	for i, l := range s.listeners {
		addrs[i] = addrOf(l.Addr())
	}
	return addrs
}

// RouteAddrs returns the addresses of one route.
func (s *Server) RouteAddrs(name string) []netip.AddrPort {
	var addrs []netip.AddrPort
	for _, l := range s.listeners {
		if l.route.Name == name {
			addrs = append(addrs, addrOf(l.Addr()))
		}
	}
	return addrs
}

// isOwn reports whether an address is one that this server listens on.
func (s *Server) isOwn(a netip.AddrPort) bool {
	if s.own[a] {
		return true
	}
	for own := range s.own { // a listener on all addresses has any of ours
		if own.Port() == a.Port() && own.Addr().IsUnspecified() && isLocal(a.Addr()) {
			return true
		}
	}
	return false
}

// isLocal reports whether an address is one of this machine's.
func isLocal(addr netip.Addr) bool {
	if addr.IsLoopback() {
		return true
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap() == addr {
			return true
		}
	}
	return false
}

func addrOf(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}

func (s *Server) closeListeners() {
	s.shutOnce.Do(func() { close(s.shut) })
	s.closeDoors()
	for _, l := range s.listeners {
		_ = l.Close()
	}
}
