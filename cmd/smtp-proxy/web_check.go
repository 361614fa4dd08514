package main

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/inspect/web"
	"smtp-proxy/policy"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// webChecker examines smarthosts for the page, as check does. What it is asked
// may come from anybody who may see the page: it sends no mail and keeps
// nothing.
type webChecker struct {
	*plant
	turns chan struct{} // one for each check that may be under way
}

// Bounds of checks for the page.
const (
	webChecks    = 2                // at once: each is dozens of connections
	webCheckTime = 20 * time.Second // of one, as on the command line
)

func (x *plant) newWebChecker() *webChecker {
	return &webChecker{plant: x, turns: make(chan struct{}, webChecks)}
}

// Check examines one smarthost.
func (w *webChecker) Check(ctx context.Context, r web.CheckRequest, told func(web.CheckStep)) (web.CheckResult, error) {
	route := w.examined(r)
	c := w.checkup(r, route)
	if err := errors.Join(c.checkScript(), c.checkSteps(), halfSignIn(r)); err != nil {
		return web.CheckResult{}, asFields(err)
	}
	e := &examinee{route: route.Name}
	if route.Upstream == sandboxUpstream {
		e.sandbox, e.lent = w.sandbox, w.sandbox != nil
	}
	if err := e.ready(c.config, route, c.timeout); err != nil {
		return web.CheckResult{}, asFields(err)
	}
	defer e.close()
	select {
	case w.turns <- struct{}{}:
		defer func() { <-w.turns }()
	default:
		return web.CheckResult{}, web.ErrBusy
	}
	engine := diagnose.New(w.rules, diagnose.Options{Built: builtAt(), Now: w.now})
	x := &examiner{program: w.aside(), c: c, set: w.rules, engine: engine, out: pageLadder(told)}
	seen := x.examine(ctx, e, nil)
	if err := ctx.Err(); err != nil {
		return web.CheckResult{}, err
	}
	out := seen.object()
	out.Verdict, out.Exit, out.Command = seen.verdict(), int(seen.code()), c.command(r.Target, route)
	return out, nil
}

// checkup words a request as the flags of check.
func (w *webChecker) checkup(r web.CheckRequest, route policy.Route) checkup {
	c := checkup{config: w.config, timeout: webCheckTime}
	c.config.UpstreamInsecure = r.Insecure || w.configured(route) && w.config.UpstreamInsecure
	c.script = probe.Script{User: r.User, Password: r.Password, From: strings.TrimSpace(r.From), To: strings.TrimSpace(r.To)}
	if len(r.Steps) > 0 {
		c.steps = append(c.steps, r.Steps...)
	}
	return c
}

// examined is the route whose smarthost was asked for, or one for a smarthost
// that no route leads to: what a route trusts, others must not.
func (w *webChecker) examined(r web.CheckRequest) policy.Route {
	target := strings.TrimSpace(r.Target)
	out := policy.Defaults().Route
	out.Name, out.Upstream = "", target
	if isSandbox(target) {
		out.Upstream = sandboxUpstream
	}
	for _, own := range w.config.All() {
		if sameUpstream(own.Upstream, out.Upstream) {
			out = own
			break
		}
	}
	if r.TLS != "" { // also of one whose app makes TLS itself
		out.UpstreamTLS, out.TLS = r.TLS, "terminate"
	}
	return out
}

func (w *webChecker) configured(r policy.Route) bool { return r.Name != "" }

// sameUpstream reports whether two settings name the same smarthost.
func sameUpstream(a, b string) bool {
	if a == "" || a == b {
		return a == b
	}
	first, err1 := upstream.ParseTarget(a, upstream.ModeAuto)
	second, err2 := upstream.ParseTarget(b, upstream.ModeAuto)
	return err1 == nil && err2 == nil && first.Name == second.Name
}

// halfSignIn refuses what cannot sign in.
func halfSignIn(r web.CheckRequest) error {
	switch {
	case r.User != "" && r.Password == "":
		return errors.New("user without a password: type both, or neither")
	case r.User == "" && r.Password != "":
		return errors.New("password without a user: say who signs in")
	case len(r.Password) > longestSecret:
		return errors.New("password: that is longer than any password or token")
	}
	return nil
}

// asFields words mistakes in flags for someone who sees fields.
func asFields(err error) error {
	return errors.New(strings.ReplaceAll(strings.TrimPrefix(err.Error(), "check: "), "--", ""))
}

// command is the check that does the same.
func (c *checkup) command(target string, r policy.Route) string {
	tls := r.UpstreamTLS
	if tls == "auto" {
		tls = ""
	}
	secret := ""
	if c.script.User != "" {
		secret = "-"
	}
	text := "smtp-proxy check " + shellWord(cmp.Or(strings.TrimSpace(target), r.Upstream))
	for _, flag := range [][2]string{
		{"upstream-tls", tls}, {"upstream-ca", r.UpstreamCA}, {"resolver", c.config.Resolver}, {"user", c.script.User},
		{"password-file", secret}, {"from", c.script.From}, {"to", c.script.To}, {"steps", strings.Join(c.steps, ",")},
	} {
		if flag[1] != "" {
			text += " --" + flag[0] + " " + shellWord(flag[1])
		}
	}
	if c.config.UpstreamInsecure {
		text += " --upstream-insecure"
	}
	return text
}

// pageLadder tells of rungs as they are climbed.
type pageLadder func(web.CheckStep)

func (l pageLadder) begin(*examined)                {}
func (l pageLadder) line(rung probe.Line)           { l(stepObject(rung)) }
func (l pageLadder) conclude(*examined, bool) error { return nil }
func (l pageLadder) again(_, _ *examined) error     { return nil }
