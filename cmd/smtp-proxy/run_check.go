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
	return usage(errors.Join(mistakes...))
}

func checkTarget(r policy.Route) error {
	if r.Upstream == "" || r.Upstream == sandboxUpstream || policyMistake(r) {
		return nil
	}
	if _, err := upstream.ParseTarget(r.Upstream, mode(r)); err != nil {
		return fmt.Errorf("--upstream: %w", err)
	}
	return nil
}

// policyMistake tells what [policy.Config.Check] has reported already.
func policyMistake(r policy.Route) bool {
	return policy.Config{Route: policy.Route{Upstream: r.Upstream, UpstreamTLS: r.UpstreamTLS}}.Check() != nil
}
