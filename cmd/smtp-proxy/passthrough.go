package main

import (
	"fmt"
	"strings"

	"smtp-proxy/policy"
	"smtp-proxy/upstream"
)

// passthrough as --tls leaves TLS end to end between app and smarthost.
const passthrough = "passthrough"

// mode says how the upstream leg of a route is to be secured. With passthrough
// that is not the proxy's to say.
func mode(r policy.Route) upstream.Mode {
	if r.TLS == passthrough {
		return upstream.ModeAuto
	}
	return upstream.Mode(r.UpstreamTLS)
}

// tellIgnored says, in one line, which settings mean nothing to a route whose
// TLS is not the proxy's.
func (x *plant) tellIgnored(r policy.Route) {
	var ignored []string
	for _, s := range []struct {
		given bool
		flag  string
	}{
		{r.UpstreamTLS != "auto", "--upstream-tls"},
		{r.AppTLS != "none", "--app-tls"},
		{x.config.UpstreamInsecure, "--upstream-insecure"},
	} {
		if s.given {
			ignored = append(ignored, s.flag)
		}
	}
	if len(ignored) > 0 {
		x.log.Warn().Str("route", r.Name).Strs("ignored", ignored).
			Msg("with --tls passthrough the app and the smarthost settle TLS between them: " + strings.Join(ignored, ", ") + " changes nothing")
	}
}

// appTLSText is what TLS there is on the app's leg, for the log.
func appTLSText(r policy.Route) string {
	if r.TLS == passthrough {
		return passthrough
	}
	return r.AppTLS
}

// nameText says what an app needs that checks the name in the certificate: the
// one it is shown is the smarthost's own, and names that.
func (h hint) nameText() string {
	if h.route.Upstream == sandboxUpstream {
		return "the certificate is the sandbox's own, for localhost"
	}
	host := "the smarthost's name"
	if t, err := upstream.ParseTarget(h.route.Upstream, mode(h.route)); err == nil {
		host = visible(t.Host)
	}
	return fmt.Sprintf("the certificate is the smarthost's own, for %s. An app that checks the name has to connect to %[1]s: "+
		"let that name lead here for it (in its /etc/hosts: %s %[1]s), or leave its settings alone and use --transparent", host, h.here())
}

// here is the address that stands for this proxy in a hosts file.
func (h hint) here() string {
	if len(h.addrs) > 0 && !h.addrs[0].Addr().IsUnspecified() {
		return h.addrs[0].Addr().String()
	}
	return "ADDRESS-OF-THIS-MACHINE"
}
