package main

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"

	"smtp-proxy/inspect"
	"smtp-proxy/policy"
	"smtp-proxy/upstream"
)

// errNoUpstream says that a record does not name the smarthost.
var errNoUpstream = errors.New("the record does not say which smarthost it went to: name one with --upstream")

// connector is one session's way to a smarthost: what an earlier one has left
// behind, such as TLS sessions, would not be what the recording met.
func (r *repetition) connector(roots *x509.CertPool) (*upstream.Connector, error) {
	c := r.config
	made, err := upstream.New(upstream.Options{
		Resolver: c.Resolver, Roots: roots, Insecure: c.UpstreamInsecure,
		ConnectTimeout: c.ConnectTimeout, HandshakeTimeout: c.HandshakeTimeout,
	})
	if err != nil {
		return nil, fmt.Errorf("--resolver: %w: write it as ip:port, such as 192.0.2.53:53", err)
	}
	return made, nil
}

// place is where one session is played to.
type place struct {
	target    upstream.Target
	connector *upstream.Connector
}

// place settles that for a recorded session.
func (x *replayer) place(s *inspect.Session, m mirror) (place, error) {
	where := cmp.Or(x.r.config.Upstream, s.Upstream.Name)
	if isSandbox(where) {
		return x.practice(s, m)
	}
	if where == "" {
		return place{}, errNoUpstream
	}
	target, err := upstream.ParseTarget(where, x.mode(m))
	if err != nil {
		return place{}, usagef("--upstream: %w", err)
	}
	roots, err := x.roots(s)
	if err != nil {
		return place{}, err
	}
	connector, err := x.r.connector(roots)
	return place{x.r.sealed(target), connector}, err
}

// mode is how the upstream leg is to be secured.
func (x *replayer) mode(m mirror) upstream.Mode {
	switch set := x.r.config.UpstreamTLS; {
	case set != asRecorded:
		return upstream.Mode(set)
	case x.r.config.Upstream != "":
		return upstream.ModeAuto
	}
	return m.mode
}

// isSandbox knows the embedded smarthost by either of its names: that of the
// setting, and that in a record, which has the port it had then.
func isSandbox(where string) bool {
	host, _, err := net.SplitHostPort(where)
	return where == sandboxUpstream || err == nil && host == sandboxUpstream
}

// practice is the embedded smarthost, one for all sessions.
func (x *replayer) practice(s *inspect.Session, m mirror) (place, error) {
	host, err := x.sandbox()
	if err != nil {
		return place{}, err
	}
	mode := x.mode(m)
	target, err := upstream.ParseTarget(host.Addr(), mode)
	if err != nil {
		return place{}, usagef("--upstream-tls: %w", err)
	}
	target.Name = fmt.Sprintf("%s:%d", sandboxUpstream, target.Port)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(host.Roots())
	connector, err := x.r.connector(roots)
	return place{target, connector}, err
}

// roots are those of --upstream-ca, or of the route on which the session was
// recorded; nil for the system's.
func (x *replayer) roots(s *inspect.Session) (*x509.CertPool, error) {
	path := x.r.config.UpstreamCA
	recordedOn := func(r policy.Route) bool { return r.Name == s.Route }
	if i := slices.IndexFunc(x.file.Routes, recordedOn); i >= 0 && x.r.config.Upstream == "" {
		path = cmp.Or(x.file.Routes[i].UpstreamCA, path)
	}
	if path == "" {
		return nil, nil
	}
	return loadRoots(path)
}

// beyond reports whether that is another machine.
func (p place) beyond() bool { return !isSandbox(p.target.Name) && !policy.Loopback(p.target.Name) }
