package main

import (
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"smtp-proxy/policy"
)

// hints tells the owner what to put into the app's settings: the only thing
// that has to be done after the start, and the one people get wrong.
type hints struct {
	routes []hint
	data   string // directory of the authority; "none"
	web    string // address of the page, or empty
	keeps  bool

	redirects func(policy.Route) bool // whether the firewall brings the app here; nil: nowhere
	user      int                     // the number of the user that the proxy runs as
}

// hint is one route as it listens.
type hint struct {
	route policy.Route
	addrs []netip.AddrPort
}

func (h hints) write(w io.Writer) {
	for _, r := range h.routes {
		h.writeRoute(w, r)
	}
	if h.keeps {
		fmt.Fprintf(w, "  watch      smtp-proxy tail%s\n", h.dataFlag())
	}
	if h.web != "" {
		fmt.Fprintf(w, "  page       http://%s/\n", h.web)
		fmt.Fprintf(w, "  health     http://%s/readyz\n", h.web)
	}
	fmt.Fprintln(w)
}

// dataFlag is what other commands need to find the same record.
func (h hints) dataFlag() string {
	if h.data == "" {
		return ""
	}
	return " --data " + h.data
}

func (h hints) writeRoute(w io.Writer, r hint) {
	if h.redirects != nil && h.redirects(r.route) {
		h.writeRedirected(w, r)
		return
	}
	name := ""
	if len(h.routes) > 1 {
		name = " (route " + visible(r.route.Name) + ")"
	}
	fmt.Fprintf(w, "Mail goes to %s%s. Put into the app's SMTP settings:\n", visible(upstreamText(r.route.Upstream)), name)
	fmt.Fprintf(w, "  host       %s\n", strings.Join(r.hosts(), " or "))
	fmt.Fprintf(w, "  port       %s\n", port(r.addrs))
	fmt.Fprintf(w, "  TLS        %s\n", h.tlsText(r.route))
	if r.route.TLS == passthrough {
		fmt.Fprintf(w, "  name       %s\n", r.nameText())
	}
	fmt.Fprintf(w, "  user       the one of the smarthost, with its password; both are passed on and not recorded\n")
	fmt.Fprintf(w, "  container  %s\n", containerText(r))
}

func upstreamText(name string) string {
	if name == sandboxUpstream {
		return "the embedded sandbox, which delivers nothing"
	}
	return name
}

// hosts names what the app may write: localhost where that is it.
func (r hint) hosts() []string {
	var names []string
	for _, a := range r.addrs {
		switch {
		case a.Addr().IsUnspecified() && r.route.AllowFrom.Contains(netip.AddrFrom4([4]byte{127, 0, 0, 1})):
			return []string{"localhost, or this machine's name or address"}
		case a.Addr().IsUnspecified():
			return []string{"this machine's name or address (--allow-from leaves localhost out)"}
		case len(r.addrs) > 1 && a.Addr().IsLoopback():
			return []string{"localhost (127.0.0.1 or ::1)"}
		}
		names = append(names, a.Addr().String())
	}
	return names
}

func port(addrs []netip.AddrPort) string {
	if len(addrs) == 0 {
		return ""
	}
	return strconv.Itoa(int(addrs[0].Port()))
}

func (h hints) tlsText(r policy.Route) string {
	if r.TLS == passthrough {
		return "as with the smarthost itself, STARTTLS or SSL/TLS: it stays end to end, the proxy holds no key"
	}
	trust := "; trust the local authority: smtp-proxy ca trust" + h.dataFlag()
	switch r.AppTLS {
	case "offer":
		return "none, or STARTTLS" + trust
	case "require":
		return "STARTTLS" + trust
	case "implicit":
		return "SSL/TLS from the start (not STARTTLS)" + trust
	}
	return "none: the proxy itself secures the way to the smarthost" + securedText(r.UpstreamTLS)
}

func securedText(mode string) string {
	switch mode {
	case "none":
		return ", but --upstream-tls none forbids it"
	case "auto":
		return " where that offers TLS"
	}
	return ""
}

// containerText says how an app in a container gets here.
func containerText(r hint) string {
	p := port(r.addrs)
	if len(r.addrs) > 0 && r.addrs[0].Addr().IsLoopback() {
		return fmt.Sprintf("not reachable from one: start with --listen 0.0.0.0:%s --allow-from 172.16.0.0/12, then host.docker.internal:%s", p, p)
	}
	return fmt.Sprintf("host.docker.internal:%s (Linux: docker run --add-host host.docker.internal:host-gateway)", p)
}
