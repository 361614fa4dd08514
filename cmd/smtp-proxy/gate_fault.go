package main

import (
	"cmp"
	"crypto/x509"
	"time"

	"smtp-proxy/policy"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// addFault opens a route of its own to a practice smarthost that fails, set up
// as the failure needs it.
func (x *plant) addFault(f *testenv.Fault) (*gate, error) {
	connector := func(policy.Route) (*upstream.Connector, error) { return upstream.New(x.reachOf(f)) }
	err := x.addGate(connector, policy.Route{
		Name: f.Name, Listen: "127.0.0.1:0", Upstream: f.Upstream, Capture: x.config.Capture, TLS: "terminate",
		UpstreamTLS: cmp.Or(f.Relay.UpstreamTLS, "auto"), AppTLS: cmp.Or(f.Relay.AppTLS, "none"),
	})
	return x.gates[len(x.gates)-1], err
}

// reachOf says how a failing smarthost is reached: by its own resolver, with
// its own authority trusted.
func (x *plant) reachOf(f *testenv.Fault) upstream.Options {
	reach := upstream.Options{
		Resolver:         f.Resolver,
		ConnectTimeout:   cmp.Or(time.Duration(f.Relay.ConnectTimeout), x.config.ConnectTimeout),
		HandshakeTimeout: cmp.Or(time.Duration(f.Relay.HandshakeTimeout), x.config.HandshakeTimeout),
		KeyLog:           x.keys.writer(),
	}
	if f.Roots != nil {
		reach.Roots = x509.NewCertPool()
		reach.Roots.AppendCertsFromPEM(f.Roots)
	}
	return reach
}
