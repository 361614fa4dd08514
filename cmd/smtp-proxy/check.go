package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"smtp-proxy/policy"
	"smtp-proxy/upstream/probe"
)

// checkup is what the flags of check ask for.
type checkup struct {
	config      policy.Config // what run has, too: the upstream, its TLS, roots, resolver
	script      probe.Script
	secrets     secretFiles
	steps       []string
	noBlocklist bool
	asJSON      bool
	fix         bool          // look for the change that helps
	timeout     time.Duration // a target's whole check
	watch       time.Duration // between rounds; 0 for one round
}

// CheckCommand examines smarthosts step by step.
func (p *program) CheckCommand() *cobra.Command {
	c := checkup{config: policy.Defaults(), timeout: 20 * time.Second}
	cmd := &cobra.Command{
		Use:   "check [HOST[:PORT] | URL]",
		Short: "examine a smarthost step by step: DNS, TCP, greeting, TLS, certificate, AUTH, relay, reputation",
		Long:  checkHelp(),
		Example: `  smtp-proxy check smtp.example.com
  smtp-proxy check smtp.example.com:587 --user me@example.com --password-file pw
  smtp-proxy check smtp.example.com:587 --fix
  smtp-proxy check smtps://smtp.example.com --from me@example.com --to you@example.net
  smtp-proxy check smtp.example.com:25 --steps dns,tcp,certificate --json
  smtp-proxy check --config smtp-proxy.toml --watch 1h`,
		Args: arguments(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.config.Routes = p.file.Routes
			if len(args) == 1 { // it says all of where to go; what a file's routes say is about others
				c.config.Upstream, c.config.Routes = args[0], nil
			}
			return p.checkAll(cmd.Context(), c)
		},
	}
	checkFlags(cmd.Flags(), &c)
	completeCheck(cmd)
	return cmd
}

// checkHelp describes check, with the names that --steps knows.
func checkHelp() string {
	text := `Examine a smarthost step by step and say what is wrong with it. Without an
argument the configured upstream is checked (--upstream, or those of the routes
of the configuration file, one after the other); a host without a port is
checked at 587, or at 465 with --upstream-tls implicit.

A check records nothing. It sends no message unless --deliver is given, and
signs in once at most. A warn is worth knowing and no finding.

With --fix it goes on, where the session fails, to look for the smallest change
of the settings that helps, for at most the same time again: another port, way
of TLS, address, name, EHLO name, mechanism, host or resolver. That signs in
only if the check has not, and names no recipient.

It exits with 0 when nothing was found, else with the number of the phase that
failed: 2 connect, 21 greeting, 22 EHLO, 23 MAIL, 24 RCPT, 25 DATA, 26 after the
data, 28 AUTH, 29 TLS; 1 for any other finding, 64 for wrong usage, 130 when it
was interrupted. Of several upstreams the first that failed decides; with
--watch the last round does, which ends by itself when a sign-in is refused.

Steps:
`
	for _, s := range probe.Steps() {
		text += fmt.Sprintf("  %-12s %s\n", s[0], s[1])
	}
	return text + "\n--steps takes these names and those of their parts: " + strings.Join(probe.StepNames(), ", ") + "."
}

// checkAll checks each target, in rounds with --watch.
func (p *program) checkAll(ctx context.Context, c checkup) error {
	if err := c.ready(p.stdin); err != nil {
		return err
	}
	targets, err := p.examinees(c)
	for _, t := range targets {
		defer t.close()
	}
	if err != nil {
		return err
	}
	x, err := p.newExaminer(c)
	if err != nil {
		return err
	}
	if c.watch > 0 {
		return x.watch(ctx, targets)
	}
	code, err := x.round(ctx, targets, map[*examinee]*examined{})
	if err != nil {
		return err
	}
	return code.orNil()
}
