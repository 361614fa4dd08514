package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"

	"smtp-proxy/policy"
)

// checkTransparent refuses what cannot go with redirected connections.
func checkTransparent(c policy.Config) error {
	switch {
	case !c.Transparent:
		return nil
	case runtime.GOOS != "linux":
		return errors.New("--transparent needs Linux: leave it out, and point the app's SMTP settings at the proxy")
	case c.Upstream == sandboxUpstream:
		return errors.New("--upstream sandbox and --transparent exclude each other: a redirected connection goes on to where it was going; start the sandbox on a machine of its own with smtp-proxy sandbox")
	}
	return nil
}

// upstreamOf names where a route leads, for the log.
func upstreamOf(r policy.Route) string {
	if r.Upstream == "" {
		return "original destination"
	}
	return r.Upstream
}

// writeRedirected says what is left to do where the firewall brings the app.
func (h hints) writeRedirected(w io.Writer, r hint) {
	fmt.Fprintf(w, "Redirected connections go on to where they were going. To have them redirected to port %s of this machine:\n", port(r.addrs))
	fmt.Fprintf(w, "  firewall   smtp-proxy ca redirect --listen %s --user %d%s prints the rules\n", r.route.Listen, h.user, forwardFlag(r.route))
	fmt.Fprintf(w, "  user       the rules leave user %d out, the proxy's: no app may run as the same\n", h.user)
	fmt.Fprintf(w, "  app        stays as it is\n")
	fmt.Fprintf(w, "  TLS        %s\n", h.redirectedTLS(r.route))
	fmt.Fprintf(w, "  container  %s\n", redirectedContainer(r))
}

func forwardFlag(r policy.Route) string {
	if len(r.AllowFrom) == 0 {
		return ""
	}
	return " --allow-from " + r.AllowFrom.String()
}

// redirectedTLS says what an app meets that believes to talk to its smarthost.
func (h hints) redirectedTLS(r policy.Route) string {
	switch {
	case r.TLS == "passthrough":
		return "as with the smarthost itself: it stays end to end"
	case r.AppTLS == "none":
		return "none is offered to the app, and port 465 cannot be served: an app that wants TLS needs --tls passthrough, or --app-tls offer and trust in the local authority"
	}
	return "the app is shown a certificate of the local authority and must trust it: smtp-proxy ca trust" + h.dataFlag()
}

// redirectedContainer says how connections of containers get here.
func redirectedContainer(r hint) string {
	p := port(r.addrs)
	switch {
	case len(r.addrs) > 0 && r.addrs[0].Addr().IsLoopback():
		return fmt.Sprintf("not led here: start with --listen [::]:%s --allow-from 172.16.0.0/12, and load the rules with the same --allow-from", p)
	case len(r.route.AllowFrom) > 0:
		return "led here from " + r.route.AllowFrom.String() + " with these rules"
	}
	return "not led here: --allow-from names the ranges"
}
