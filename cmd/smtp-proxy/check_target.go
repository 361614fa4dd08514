package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"smtp-proxy/policy"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// examinee is one smarthost to check, and how it is reached.
type examinee struct {
	route   string
	target  upstream.Target
	assumed string // what was not said and had to be chosen, for the reader
	reach   upstream.Options
	sandbox *testenv.Sandbox // nil but for the embedded one
	lent    bool             // it is somebody else's, who closes it
}

// examinees settles which smarthosts are checked. Routes that reach the same
// one in the same way count once.
func (p *program) examinees(c checkup) (list []*examinee, err error) {
	config := c.config
	if config.Upstream == "" && len(config.Routes) == 0 {
		return nil, usagef("no smarthost to check: name one (smtp-proxy check smtp.example.com:587), or the configuration of run (--config FILE)")
	}
	var mistakes []error
	seen := map[[3]string]bool{}
	for _, r := range config.All() {
		if key := [...]string{r.Upstream, r.UpstreamTLS, r.UpstreamCA}; seen[key] {
			continue
		} else {
			seen[key] = true
		}
		e, err := newExaminee(config, r, c.timeout)
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		list = append(list, e)
	}
	if user := c.script.User; user != "" && len(list) > 1 {
		mistakes = append(mistakes, fmt.Errorf("--user: a secret is for one smarthost, and %d are configured: name it (smtp-proxy check %s --user %s …)",
			len(list), list[0].target.Name, user))
	}
	return list, usage(errors.Join(mistakes...))
}

// newExaminee prepares the check of one route's smarthost.
func newExaminee(c policy.Config, r policy.Route, limit time.Duration) (*examinee, error) {
	e := &examinee{route: r.Name}
	if err := e.ready(c, r, limit); err != nil {
		return nil, err
	}
	return e, nil
}

// ready settles how the smarthost is reached.
func (e *examinee) ready(c policy.Config, r policy.Route, limit time.Duration) error {
	roots, err := e.trust(r)
	if err != nil {
		return err
	}
	if e.target, err = e.aim(r); err != nil {
		return err
	}
	// A step that waits for one thing leaves time for those behind it.
	e.reach = upstream.Options{
		Resolver: c.Resolver, Insecure: c.UpstreamInsecure, Roots: roots, LookupTimeout: limit / 3,
		ConnectTimeout: min(c.ConnectTimeout, limit/2), HandshakeTimeout: min(c.HandshakeTimeout, limit/2),
	}
	if _, err := upstream.New(e.reach); err != nil {
		return fmt.Errorf("--resolver: %w: write it as ip:port, such as 192.0.2.53:53", err)
	}
	return nil
}

// connector reaches the smarthost with no memory of earlier times.
func (e *examinee) connector() *upstream.Connector {
	c, _ := upstream.New(e.reach) // what may be wrong was found at the start
	return c
}

// trust returns the roots to trust, nil for the system's, and starts the
// embedded smarthost where that is to be checked.
func (e *examinee) trust(r policy.Route) (*x509.CertPool, error) {
	switch {
	case r.Upstream == sandboxUpstream:
		return e.practice()
	case r.UpstreamCA != "":
		return loadRoots(r.UpstreamCA)
	}
	return nil, nil
}

// practice returns whom to trust for the embedded smarthost, which it starts
// unless one was lent.
func (e *examinee) practice() (*x509.CertPool, error) {
	if e.sandbox == nil {
		s, err := testenv.NewSandbox(testenv.SandboxOptions{})
		if err != nil {
			return nil, err
		}
		e.sandbox = s
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(e.sandbox.Roots())
	return roots, nil
}

// aim reads where the smarthost is.
func (e *examinee) aim(r policy.Route) (upstream.Target, error) {
	where, way := r.Upstream, mode(r)
	if e.sandbox != nil {
		where = e.sandbox.Addr()
	} else if host, ok := hostOnly(where); ok {
		port := "587"
		if way == upstream.ModeImplicit {
			port = "465"
		}
		where, e.assumed = net.JoinHostPort(host, port), "port "+port+", as none was named"
	}
	t, err := upstream.ParseTarget(where, way)
	if err != nil {
		return t, fmt.Errorf("check: %w", err)
	}
	return t, nil
}

// hostOnly tells a name or an address alone from host:port and from a URL,
// whose scheme has a port of its own.
func hostOnly(s string) (host string, ok bool) {
	s = strings.TrimSpace(s)
	bare := strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	if _, err := netip.ParseAddr(bare); err == nil {
		return bare, true
	}
	return s, s != "" && !strings.ContainsAny(s, ":/@")
}

func (e *examinee) close() {
	if e.sandbox != nil && !e.lent {
		// What it says at its end is about connections that are over.
		_ = e.sandbox.Close()
	}
}
