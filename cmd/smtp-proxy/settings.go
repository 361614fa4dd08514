package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"smtp-proxy/policy"
)

// settle gives each flag of cmd that the command line left alone its value
// from the environment or the configuration file, in this order. All mistakes
// are reported together.
func (p *program) settle(cmd *cobra.Command) error {
	if err := p.readConfig(cmd); err != nil {
		return usage(err)
	}
	var mistakes []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Changed && settable(f) {
			mistakes = append(mistakes, p.settleFlag(cmd, f))
		}
	})
	if p.color != "auto" && p.color != "always" && p.color != "never" {
		mistakes = append(mistakes, fmt.Errorf("--color %q is not known: choose auto, always or never", p.color))
	}
	return usage(errors.Join(mistakes...))
}

func (p *program) settleFlag(cmd *cobra.Command, f *pflag.Flag) error {
	if value, ok := p.lookup(f.Name); ok {
		return given(variable(f.Name), cmd.Flags().Set(f.Name, value))
	}
	if value, ok := p.file.Value(topName(cmd), f.Name); ok {
		return given(filepath.Base(p.config)+": "+f.Name, cmd.Flags().Set(f.Name, value))
	}
	return nil
}

// lookup reads a flag's environment variable. An empty one counts as not set,
// as compose files and CI write a variable that has no value.
func (p *program) lookup(flag string) (string, bool) {
	value, ok := p.env(variable(flag))
	return value, ok && value != ""
}

// variable returns the name of a flag's environment variable.
func variable(flag string) string {
	return "SMTP_PROXY_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// given says where a refused value came from; pflag would name a flag that
// nobody typed.
func given(where string, err error) error {
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		return fmt.Errorf("%s: %w", where, refusal(invalid))
	}
	return err
}

// settable tells the settings from the flags that only ask for a text.
func settable(f *pflag.Flag) bool {
	return f.Name != "help" && f.Name != "version" && f.Name != "config"
}

// readConfig reads the file that --config or its variable names.
func (p *program) readConfig(cmd *cobra.Command) error {
	if p.config == "" {
		p.config, _ = p.lookup("config")
	}
	if p.config == "" {
		return nil
	}
	data, err := os.ReadFile(p.config)
	if err != nil {
		return fmt.Errorf("--config: %w: name a TOML file that can be read", err)
	}
	p.file, err = policy.ParseFile(filepath.Base(p.config), data, keys(cmd.Root()))
	if err != nil {
		p.file = &policy.File{}
	}
	return err
}

// topName returns the name of the command below the root that cmd belongs to:
// "ca trust" has the settings of ca.
func topName(cmd *cobra.Command) string {
	for cmd.HasParent() && cmd.Parent().HasParent() {
		cmd = cmd.Parent()
	}
	return cmd.Name()
}

// keys returns the settings of all commands: one file serves them all.
func keys(root *cobra.Command) policy.Keys {
	all := policy.Keys{}
	for _, c := range root.Commands() {
		all[c.Name()] = flagsBelow(c, nil)
		root.PersistentFlags().VisitAll(func(f *pflag.Flag) {
			if settable(f) {
				all[c.Name()] = append(all[c.Name()], f.Name)
			}
		})
	}
	return all
}

// flagsBelow adds the settable flags of cmd and its subcommands to names.
func flagsBelow(cmd *cobra.Command, names []string) []string {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if settable(f) {
			names = append(names, f.Name)
		}
	})
	for _, sub := range cmd.Commands() {
		names = flagsBelow(sub, names)
	}
	return names
}

// dataDir returns the directory of the record, or "none".
func (p *program) dataDir() (string, error) {
	if p.data != "" {
		return p.data, nil
	}
	if state, ok := p.env("XDG_STATE_HOME"); ok && filepath.IsAbs(state) {
		return filepath.Join(state, "smtp-proxy"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no home directory for the record: name one with --data DIR, or --data none: %w", err)
	}
	return filepath.Join(home, ".local", "state", "smtp-proxy"), nil
}
