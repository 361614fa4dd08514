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
	reach := upstream.Options{
		Resolver:         f.Resolver,
		ConnectTimeout:   cmp.Or(time.Duration(f.Relay.ConnectTimeout), x.config.ConnectTimeout),
		HandshakeTimeout: cmp.Or(time.Duration(f.Relay.HandshakeTimeout), x.config.HandshakeTimeout),
	}
	if f.Roots != nil {
		reach.Roots = x509.NewCertPool()
		reach.Roots.AppendCertsFromPEM(f.Roots)
	}
	return x.addGate(reach, policy.Route{
		Name: f.Name, Listen: "127.0.0.1:0", Upstream: f.Upstream, Capture: x.config.Capture, TLS: "terminate",
		UpstreamTLS: cmp.Or(f.Relay.UpstreamTLS, "auto"), AppTLS: cmp.Or(f.Relay.AppTLS, "none"),
	})
}
