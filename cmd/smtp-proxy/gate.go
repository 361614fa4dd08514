package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"smtp-proxy/policy"
	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// gate is one server with its routes.
type gate struct {
	settings []policy.Route
	server   *proxy.Server
	x        *plant
}

// openGates opens the ports of all routes.
func (x *plant) openGates() error {
	reach := map[string]*upstream.Connector{}
	return x.addGate(func(r policy.Route) (*upstream.Connector, error) {
		trust := r.UpstreamCA
		if r.Upstream == sandboxUpstream {
			trust = sandboxUpstream
		}
		if reach[trust] != nil { // one way to reach them, one memory of names and TLS sessions
			return reach[trust], nil
		}
		var err error
		reach[trust], err = x.connector(r)
		return reach[trust], err
	}, x.config.All()...)
}

// connector settles how a route's smarthost is reached. What one route trusts,
// another must not.
func (x *plant) connector(r policy.Route) (*upstream.Connector, error) {
	c := x.config
	o := upstream.Options{
		Resolver: c.Resolver, ConnectTimeout: c.ConnectTimeout, HandshakeTimeout: c.HandshakeTimeout, Insecure: c.UpstreamInsecure,
		KeyLog: x.keys.writer(),
	}
	var err error
	switch {
	case r.Upstream == sandboxUpstream:
		o.Roots, err = x.openSandbox()
	case r.UpstreamCA != "":
		o.Roots, err = loadRoots(r.UpstreamCA)
	}
	if err != nil {
		return nil, err
	}
	return upstream.New(o)
}

func loadRoots(path string) (*x509.CertPool, error) {
	roots, err := upstream.LoadRoots(path)
	if err != nil {
		return nil, usagef("--upstream-ca: %w: name a PEM file of certificates", err)
	}
	return roots, nil
}

// addGate opens routes, each with the connector that reach gives for it.
func (x *plant) addGate(reach func(policy.Route) (*upstream.Connector, error), routes ...policy.Route) error {
	g := &gate{x: x, settings: routes}
	x.gates = append(x.gates, g)
	o := proxy.Options{
		Recorder: x.recorder, Log: x.log,
		HandshakeTimeout: x.config.HandshakeTimeout, MaxSessions: x.config.MaxSessions, MaxPerAddress: x.config.MaxPerAddress,
	}
	if x.reactors != nil {
		o.Reactors = x.reactors()
	}
	for _, r := range routes {
		connector, err := reach(r)
		if err != nil {
			return err
		}
		route, err := x.route(r)
		if err != nil {
			return err
		}
		route.Connector = connector
		x.asks(r, connector)
		o.Routes = append(o.Routes, route)
	}
	var err error
	if g.server, err = proxy.New(o); err != nil {
		return err
	}
	if err := g.server.Listen(); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.servers = append(x.servers, g.server)
	return nil
}

func (g *gate) serve(ctx context.Context) {
	if err := g.server.Serve(ctx); err != nil {
		g.x.log.Error().Err(err).Msg("no further sessions are taken")
	}
}

// close closes ports that were never served.
func (g *gate) close() error {
	if g.server == nil {
		return nil
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	g.server.Shutdown(done)
	return nil
}

// capture is what a route hands over of messages. Without a record the header
// is enough: it has what the log names.
func (x *plant) capture(r policy.Route) proxy.Capture {
	if x.store == nil && r.Capture == string(proxy.CaptureFull) {
		return proxy.CaptureHeaders
	}
	return proxy.Capture(r.Capture)
}

// route words a route of the settings as the proxy takes it.
func (x *plant) route(r policy.Route) (proxy.Route, error) {
	target, err := x.target(r)
	if err != nil {
		return proxy.Route{}, err
	}
	out := proxy.Route{
		Name: r.Name, Listen: []string{r.Listen}, Target: target, AppTLS: appTLS(r.AppTLS), AllowFrom: r.AllowFrom,
		Capture: x.capture(r), PassSmuggling: x.config.Smuggling == "pass", AppSilence: x.config.AppTimeout,
		Annotator: x.onReplies, Passthrough: r.TLS == passthrough,
	}
	out.Transparent = x.config.Redirects(r)
	if out.Passthrough {
		x.tellIgnored(r)
		out.AppTLS = session.AppNone
		return out, nil
	}
	if out.AppTLS != session.AppNone {
		out.TLS = x.appTLS
	}
	return out, nil
}

func (x *plant) target(r policy.Route) (upstream.Target, error) {
	if r.Upstream == "" { // each redirected connection brings its own
		return upstream.Target{Mode: mode(r)}, nil
	}
	if r.Upstream != sandboxUpstream {
		return upstream.ParseTarget(r.Upstream, mode(r))
	}
	t, err := upstream.ParseTarget(x.sandbox.Addr(), mode(r))
	t.Name = fmt.Sprintf("%s:%d", sandboxUpstream, t.Port) // each session says where its mail went
	return t, err
}

func appTLS(setting string) session.AppTLS {
	switch setting {
	case "offer":
		return session.AppOffer
	case "require":
		return session.AppRequire
	case "implicit":
		return session.AppImplicit
	}
	return session.AppNone
}

// openSandbox starts the embedded smarthost and returns whom to trust for it.
func (x *plant) openSandbox() (*x509.CertPool, error) {
	s, err := testenv.NewSandbox(testenv.SandboxOptions{})
	if err != nil {
		return nil, err
	}
	x.sandbox = s
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.Roots())
	x.log.Warn().Str("sandbox", s.Addr()).Msg("mail goes to the embedded sandbox and is delivered to nobody")
	return roots, nil
}

// openAppTLS finds the certificate that the app is shown, where a route needs
// one: before the ports open, so that the authority's file is there by then.
func (x *plant) openAppTLS() error {
	needed := false
	for _, r := range x.config.All() {
		needed = needed || r.AppTLS != "none" && r.TLS != passthrough
	}
	if !needed {
		return nil
	}
	open := x.openAuthority
	if x.config.Cert != "" {
		open = x.loadCertificate
	}
	if err := open(); err != nil {
		return err
	}
	x.appTLS.KeyLogWriter = x.keys.writer()
	return nil
}

func (x *plant) loadCertificate() error {
	pair, err := tls.LoadX509KeyPair(x.config.Cert, x.config.Key)
	if err != nil {
		return usagef("--cert and --key: %w: name PEM files of a certificate and its key", err)
	}
	x.appTLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	return nil
}

// openAuthority prefers the authority on disk. Where that cannot be had mail
// is relayed with one that lasts as long as the process.
func (x *plant) openAuthority() error {
	a, err := (*proxy.Authority)(nil), error(nil)
	if x.dir != "none" {
		a, err = proxy.OpenAuthority(x.dir, x.now())
	}
	if err != nil {
		x.trouble(err.Error())
		x.log.Warn().Err(err).Msg("the app is shown a certificate that lasts until the end of this process only")
	}
	if a == nil {
		if a, err = proxy.EphemeralAuthority(x.now()); err != nil {
			return err
		}
	}
	x.appTLS = &tls.Config{GetCertificate: a.Leaf}
	return nil
}
