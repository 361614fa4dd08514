package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"smtp-proxy/policy"
)

// program is what a subcommand has of the world outside.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) (string, bool)
	now            func() time.Time
	reactors       func() int // for a proxy, with processors set aside; nil: none are

	config string       // --config
	data   string       // --data
	color  string       // --color
	file   *policy.File // what --config names; never nil once settings are settled
}

func newProgram() *program {
	return &program{
		stdin:    os.Stdin,
		stdout:   os.Stdout,
		stderr:   os.Stderr,
		env:      os.LookupEnv,
		now:      time.Now,
		reactors: sync.OnceValue(reactors),
		file:     &policy.File{},
	}
}

// run executes one command line and returns the process's exit code.
func (p *program) run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends a shutdown that takes too long for its owner.
	defer context.AfterFunc(ctx, stop)()
	root := p.root(args)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	p.report(err)
	return code(err)
}

// root builds the command tree.
func (p *program) root(args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "smtp-proxy",
		Short: "relay SMTP to a smarthost, record both sides, explain each failure",
		Long: `smtp-proxy relays SMTP between a program that sends mail (the app) and a
smarthost (the upstream), changes nothing, records both sides and says of each
failure what it is, what shows it and what to do.

Start with "smtp-proxy demo", or with "smtp-proxy run --upstream HOST:PORT".

Every flag can also be set by an environment variable (--upstream-tls is
SMTP_PROXY_UPSTREAM_TLS) and in a TOML file (--config FILE; keys are the names
of the flags). Flags come before the environment, that before the file.`,
		Version:           version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return p.settle(cmd) },
		Args:              knownCommand,
		RunE:              needsCommand,
	}
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetIn(p.stdin)
	root.SetVersionTemplate("smtp-proxy {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return flagError(cmd, args, err) })
	flags := root.PersistentFlags()
	flags.StringVar(&p.config, "config", "", "TOML `file` with settings")
	flags.StringVar(&p.data, "data", "", "`directory` of the record and the local authority (default $XDG_STATE_HOME/smtp-proxy; none keeps no record)")
	flags.StringVar(&p.color, "color", "auto", "colour: auto (on a terminal), always, never")
	root.AddCommand(p.commands()...)
	root.SetHelpCommand(helpCommand())
	return root
}

// commands calls each method of program whose name ends in Command. They are
// found by name so that a subcommand is a file and no list names them all.
func (p *program) commands() []*cobra.Command {
	var all []*cobra.Command
	methods := reflect.ValueOf(p)
	for i := range methods.NumMethod() {
		if !strings.HasSuffix(methods.Type().Method(i).Name, "Command") {
			continue
		}
		if build, ok := methods.Method(i).Interface().(func() *cobra.Command); ok {
			all = append(all, build())
		}
	}
	return all
}

// report writes an error to stderr: one line for each mistake.
func (p *program) report(err error) {
	for _, mistake := range flatten(err) {
		text := strings.Join(strings.Fields(visibleLines(mistake.Error())), " ")
		io.WriteString(p.stderr, "smtp-proxy: "+text+"\n")
	}
}

// flatten returns the errors that were joined into err, and that have
// something to say.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	var u usageError
	if errors.As(err, &u) {
		err = u.error
	}
	var joined interface{ Unwrap() []error }
	var code ended
	switch {
	case errors.As(err, &joined):
	case errors.As(err, &code):
		return nil
	default:
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, flatten(e)...)
	}
	return all
}
