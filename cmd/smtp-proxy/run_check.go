package main

import (
	"errors"
	"fmt"

	"smtp-proxy/policy"
	"smtp-proxy/upstream"
)

// sandboxUpstream as --upstream starts the embedded smarthost.
const sandboxUpstream = "sandbox"

// check reports every mistake in the settings of run, before anything is
// opened. A mistake is wrong usage wherever the setting came from.
func check(c policy.Config) error {
	mistakes := []error{c.Check(), checkTransparent(c)}
	for _, r := range c.All() {
		mistakes = append(mistakes, checkTarget(r))
	}
	return usage(errors.Join(append(mistakes, unbuilt(c)...)...))
}

func checkTarget(r policy.Route) error {
	if r.Upstream == "" || r.Upstream == sandboxUpstream || policyMistake(r) {
		return nil
	}
	if _, err := upstream.ParseTarget(r.Upstream, upstream.Mode(r.UpstreamTLS)); err != nil {
		return fmt.Errorf("--upstream: %w", err)
	}
	return nil
}

// policyMistake tells what [policy.Config.Check] has reported already.
func policyMistake(r policy.Route) bool {
	return policy.Config{Route: policy.Route{Upstream: r.Upstream, UpstreamTLS: r.UpstreamTLS}}.Check() != nil
}

// unbuilt refuses settings that are understood but not obeyed yet. A setting
// that is silently ignored would be worse than none.
func unbuilt(c policy.Config) []error {
	var refused []error
	refuse := func(wanted bool, flag, instead string) {
		if wanted {
			refused = append(refused, fmt.Errorf("%s is not in this version: %s", flag, instead))
		}
	}
	for _, r := range c.All() {
		refuse(r.TLS == "passthrough", "--tls passthrough", "leave it out, TLS then ends at the proxy on both legs (--tls terminate)")
	}
	return refused
}
