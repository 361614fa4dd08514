package main

import (
	"bytes"
	stdlog "log"
	"net/http"
	"strings"

	"github.com/rs/zerolog"

	"smtp-proxy/inspect/web"
)

// openWeb serves the page. A taken port is no reason not to relay.
func (x *plant) openWeb() error {
	if !x.config.Serves() {
		return nil
	}
	w, err := newWebServer(x.config.HTTP, x.log, x.site)
	if err != nil {
		x.log.Warn().Err(err).Str("http", x.config.HTTP).Msg("no web page and no health checks: the port cannot be opened; name another with --http, or --http off")
		return nil
	}
	x.web = w
	return nil
}

// site makes the page for an address.
func (x *plant) site(addr string) (http.Handler, error) {
	setup := x.setup() // the routes that people put into settings are there from the start
	x.replays = x.newWebReplayer()
	o := web.Options{
		Store: x.store, Rules: x.rules, Explainer: x.engine, Setup: func() web.Setup { return setup }, Troubles: x.notReady,
		Checker: x.newWebChecker(), Replayer: x.replays, Exporter: webExporter{x},
		Users: x.users, Listen: addr, Version: version(), Now: x.now, Log: x.log,
	}
	if x.metrics != nil {
		x.metrics.measure(x)
		o.Metrics = x.metrics.handler()
	}
	return web.New(o)
}

// setup is what the owner puts into the app's settings.
func (x *plant) setup() web.Setup {
	h := x.hints()
	out := web.Setup{Keeps: h.keeps, Data: h.dataFlag()}
	for _, r := range h.routes {
		out.Routes = append(out.Routes, web.SetupRoute{
			Name: r.route.Name, Hosts: r.hosts(), Addrs: r.addrs, Port: port(r.addrs), TLS: h.tlsText(r.route),
			Upstream: upstreamText(r.route.Upstream), Container: containerText(r), Sandbox: r.route.Upstream == sandboxUpstream,
		})
	}
	return out
}

// quietLog takes what net/http has to say: clients that leave or speak no
// HTTP, which is nothing for an operator; and a panic, which is a mistake of
// ours and costs one answer.
func quietLog(log zerolog.Logger) *stdlog.Logger {
	return stdlog.New(debugLines{log}, "", 0)
}

type debugLines struct{ log zerolog.Logger }

func (d debugLines) Write(line []byte) (int, error) {
	e := d.log.Debug()
	if bytes.HasPrefix(line, []byte("http: panic serving")) {
		e = d.log.Error()
	}
	e.Msg(strings.TrimSpace(string(line)))
	return len(line), nil
}
