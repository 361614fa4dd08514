package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"smtp-proxy/policy"
	"smtp-proxy/upstream/probe"
)

// checkFlags ties the flags of check to the fields of c. Those that run has
// too mean the same, so that a file or an environment made for run serves.
func checkFlags(f *pflag.FlagSet, c *checkup) {
	f.StringVar(&c.config.Upstream, "upstream", "", "the smarthost, where no argument names it: `host:port`, a URL, or sandbox")
	f.StringVar(&c.config.UpstreamTLS, "upstream-tls", c.config.UpstreamTLS, "TLS to the smarthost: auto (found out), starttls, implicit, none")
	f.StringVar(&c.config.UpstreamCA, "upstream-ca", "", "PEM `file` with further trusted roots")
	f.BoolVar(&c.config.UpstreamInsecure, "upstream-insecure", false, "go on even if the certificate fails verification")
	f.StringVar(&c.config.Resolver, "resolver", "", "`ip:port` of the DNS server for every look-up (default the system's)")
	f.Var(wait{&c.config.ConnectTimeout, false}, "connect-timeout", "all dials of the dialogue together; half of --timeout at most")
	f.Var(wait{&c.config.HandshakeTimeout, false}, "handshake-timeout", "one TLS handshake; half of --timeout at most")
	f.StringVar(&c.script.Name, "name", "", "the `name` to say at EHLO (default this machine's)")
	f.StringVar(&c.script.User, "user", "", "sign in once as this `user`")
	f.StringVar(&c.secrets.password, "password-file", "", "`file` with the password, or - for stdin")
	f.StringVar(&c.secrets.token, "token-file", "", "`file` with an OAuth access token instead, or - for stdin")
	f.StringVar(&c.script.Mechanism, "auth", "", "sign in by this `mechanism` (default the best that is offered)")
	f.StringVar(&c.script.From, "from", "", "try this sender `address`: MAIL, then RSET")
	f.StringVar(&c.script.To, "to", "", "try this recipient `address`: RCPT, then RSET; needs --from")
	f.BoolVar(&c.script.Deliver, "deliver", false, "send a short test message from --from to --to")
	f.StringSliceVar(&c.steps, "steps", nil, "take these steps only: a `list` of their names")
	f.BoolVar(&c.noBlocklist, "no-dnsbl", false, "ask no DNS blocklist about this machine's address")
	f.Var(wait{&c.timeout, false}, "timeout", "the whole check of one smarthost")
	f.BoolVar(&c.fix, "fix", false, "look for the smallest change of the settings that helps")
	f.Var((*span)(&c.watch), "watch", "check again after this `time`, and report only what has changed")
	f.BoolVar(&c.asJSON, "json", false, "one JSON object a line for each smarthost")
}

// completeCheck offers the shell what the flags take.
func completeCheck(cmd *cobra.Command) {
	for flag, values := range map[string]func() []string{
		"steps":        probe.StepNames,
		"upstream-tls": func() []string { return []string{"auto", "starttls", "implicit", "none"} },
	} {
		// The only error is a flag that does not exist.
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values(), cobra.ShellCompDirectiveNoFileComp))
	}
}

// leastWatch is how often a smarthost may be checked: one check is dozens of
// connections, and more of them a minute look like an attack.
const leastWatch = 10 * time.Second

// ready reports all mistakes in the flags together, and reads the secret.
func (c *checkup) ready(stdin io.Reader) error {
	mistakes := []error{c.checkScript(), c.checkSteps()}
	if c.watch > 0 && c.watch < leastWatch {
		mistakes = append(mistakes, fmt.Errorf("--watch %s is too often for a smarthost: 10s is the least", policy.FormatSpan(c.watch)))
	}
	if c.watch > 0 && c.fix {
		mistakes = append(mistakes, errors.New("--fix and --watch: a search in each round would tire a smarthost; leave one of them out"))
	}
	if c.script.User == "" && c.secrets == (secretFiles{}) && c.script.Mechanism == "" {
		return usage(errors.Join(mistakes...))
	}
	mistakes = append(mistakes, c.secrets.check(c.script), c.secrets.read(&c.script, stdin))
	return usage(errors.Join(mistakes...))
}

// checkScript refuses what cannot be a dialogue. The addresses become part of
// commands: a line end in one would be a command of its own.
func (c *checkup) checkScript() error {
	s, mistakes := &c.script, []error{}
	s.From, s.To = strings.TrimSuffix(strings.TrimPrefix(s.From, "<"), ">"), strings.TrimSuffix(strings.TrimPrefix(s.To, "<"), ">")
	for _, f := range []struct{ flag, value string }{{"from", s.From}, {"to", s.To}, {"name", s.Name}, {"auth", s.Mechanism}} {
		if strings.ContainsFunc(f.value, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '<' || r == '>' }) {
			mistakes = append(mistakes, fmt.Errorf("--%s %q holds a blank, a bracket or a control character: write it without", f.flag, f.value))
		}
	}
	switch {
	case s.Deliver && (s.From == "" || s.To == ""):
		mistakes = append(mistakes, errors.New("--deliver needs --from and --to: say who sends the test message to whom"))
	case s.To != "" && s.From == "":
		mistakes = append(mistakes, errors.New("--to needs --from: a recipient is asked for behind a sender"))
	}
	return errors.Join(mistakes...)
}

// checkSteps refuses unknown steps.
func (c *checkup) checkSteps() error {
	names := probe.StepNames()
	var mistakes []error
	for i, name := range c.steps {
		c.steps[i] = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(names, c.steps[i]) {
			mistakes = append(mistakes, fmt.Errorf("--steps: no step %q: choose from %s", name, strings.Join(names, ", ")))
		}
	}
	return errors.Join(mistakes...)
}
