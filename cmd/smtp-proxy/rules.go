package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/rules"
)

// RulesCommand is for people who write rules.
func (p *program) RulesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "test a contributor's rule file",
		Args:  arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usagef("%s needs a command, check: see %s --help", cmd.CommandPath(), cmd.CommandPath())
		},
	}
	cmd.AddCommand(p.rulesCheck())
	return cmd
}

func (p *program) rulesCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "test rule files as if they stood in the built-in set",
		Long: `Test rule files against the built-in set, as if all of them stood there. A file
is named FAMILY/NAME.toml; the family is a provider's or a program's id, or
generic. Each rule must win the replies of its [[must_match]] among all rules,
leave those of its [[must_not_match]] to others, and take none from them. One
that is in the set already is replaced by the file.

It ends with 0 when all rules are sound, with 1 when one is not.`,
		Example: `  smtp-proxy rules check ses/new-region.toml
  smtp-proxy rules check inspect/rules/gmail/*.toml`,
		Args: arguments(1, 10000, "the file of a rule, FAMILY/NAME.toml"),
		RunE: func(_ *cobra.Command, args []string) error { return p.checkRules(args) },
	}
}

// checkRules says of each file what it found; the mistakes are its error.
func (p *program) checkRules(files []string) error {
	checked, err := rules.CheckFiles(files...)
	if err != nil {
		return err
	}
	t := p.onStdout()
	var errs []error
	for _, c := range checked {
		if c.Err != nil {
			errs = append(errs, c.Err)
			continue
		}
		fmt.Fprintf(p.stdout, "%s  %s, %s: wins %s, leaves %s alone\n", t.paint(bold, c.Rule.ID), t.paint(green, "ok"), c.Rule.Cause,
			inspect.Count(len(c.Rule.MustMatch), "example"), inspect.Count(len(c.Rule.MustNotMatch), "example"))
	}
	return errors.Join(errs...)
}
