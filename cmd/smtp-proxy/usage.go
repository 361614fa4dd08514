package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"smtp-proxy/policy"
)

// The exit codes that all commands share. 64 is EX_USAGE of sysexits.h.
const (
	exitFailed = 1
	exitUsage  = 64
)

// usageError is a mistake in how the program was called.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

// usage marks err as a mistake in how the program was called.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

func usagef(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

// code returns the exit code that err ends the program with.
func code(err error) int {
	var u usageError
	var e ended
	switch {
	case err == nil:
		return 0
	case errors.As(err, &u):
		return exitUsage
	case errors.As(err, &e):
		return int(e)
	}
	return exitFailed
}

// arguments accepts from least to most arguments and says what they are.
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least {
			return usagef("%s needs %s: see %s --help", cmd.CommandPath(), what, cmd.CommandPath())
		}
		if len(args) > most {
			return usagef("%s does not know what to do with %q: see %s --help", cmd.CommandPath(), args[most], cmd.CommandPath())
		}
		return nil
	}
}

func noArguments(cmd *cobra.Command, args []string) error { return arguments(0, 0, "")(cmd, args) }

// knownCommand refuses the argument of the root, which takes none.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return unknownCommand(root, args[0])
}

func unknownCommand(root *cobra.Command, name string) error {
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	hint := "smtp-proxy --help lists what there is"
	if near := policy.Nearest(name, names); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return usagef("unknown command %q: %s", name, hint)
}

func needsCommand(root *cobra.Command, _ []string) error {
	root.SetOut(root.ErrOrStderr())
	root.Help()
	return usagef("name a command, such as demo or run")
}

// flagError words what pflag found. An unknown command is named before its
// flags, which are then unknown too.
func flagError(cmd *cobra.Command, args []string, err error) error {
	if !cmd.HasParent() {
		if i := slices.IndexFunc(args, func(a string) bool { return !strings.HasPrefix(a, "-") }); i == 0 {
			return unknownCommand(cmd, args[0])
		}
	}
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &invalid):
		return usagef("--%s: %w", invalid.GetFlag().Name, refusal(invalid))
	case !errors.As(err, &unknown):
		return usagef("%w: see %s --help", err, cmd.CommandPath())
	}
	hint := "see " + cmd.CommandPath() + " --help"
	if near := policy.Nearest(unknown.GetSpecifiedName(), flagNames(cmd)); near != "" {
		hint = fmt.Sprintf("did you mean --%s?", near)
	}
	return usagef("%w: %s", err, hint)
}

// flagNames returns the names of the flags that cmd takes.
func flagNames(cmd *cobra.Command) []string {
	var names []string
	each := func(f *pflag.Flag) { names = append(names, f.Name) }
	cmd.LocalFlags().VisitAll(each)
	cmd.InheritedFlags().VisitAll(each)
	return names
}

// helpCommand is cobra's, but for an unknown topic, which is wrong usage.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "say what a command does",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(cmd.Root(), strings.Join(args, " "))
			}
			return about.Help()
		},
	}
}
