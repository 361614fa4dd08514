package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// ExportCommand writes one session as a file for another program.
func (p *program) ExportCommand() *cobra.Command {
	x := &export{program: p}
	name, file := "", ""
	cmd := &cobra.Command{
		Use:   "export ID",
		Short: "one session as a file for another program",
		Long: `Write one session as a file for another program. ID may be shortened to any
unique prefix; latest and latest-failed name the newest ones.

` + fileHelp + `

` + x.formatHelp() + `
Passwords and tokens are masked in the record, and so in each format.`,
		Example: `  smtp-proxy export latest-failed --format pcapng | wireshark -k -i -
  smtp-proxy export 01JD8Z --format eml --message 2 -o second.eml`,
		Args:      arguments(1, 1, "the id of a session (latest, latest-failed, or as sessions lists it)"),
		ValidArgs: []string{"latest", "latest-failed"},
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := x.format(name)
			if err != nil {
				return err
			}
			x.argument, x.named = args[0], cmd.Flags().Changed("message")
			return x.run(cmd.Context(), args[0], f, file)
		},
	}
	cmd.Flags().StringVar(&name, "format", "json", "`format`: "+strings.Join(x.formatNames(), ", "))
	cmd.Flags().StringVarP(&file, "output", "o", "", "`file` to write, for its owner alone (default stdout)")
	cmd.Flags().IntVar(&x.message, "message", 1, "`number` of the message, for eml and the reproductions")
	cmd.Flags().BoolVar(&x.anonymize, "anonymize", false, "replace addresses, names, subjects and bodies by stand-ins, the same ones throughout")
	cmd.Flags().BoolVar(&x.deliver, "deliver", false, "let a reproduction send its messages, where it would stop before the first")
	return cmd
}

// export is one session on its way out.
//
// Each method whose name ends in Format is a format, and is found by that
// name; a format is a file.
type export struct {
	*program
	argument string // the session as it was asked for
	message  int    // --message; the first is 1
	named    bool   // --message was given
	deliver  bool   // --deliver

	anonymize bool // --anonymize

	*recorded
}

// format is one way to write a session.
type format struct {
	name  string
	about string // for the help
	raw   bool   // holds what peers said as it was: nothing for a terminal
	file  string // what its file's name ends in: ".html"
	kind  string // its media type; empty for text to be read
	each  bool   // it is of one message, by its number
	write func(context.Context, io.Writer) error
}

// formats returns all of them, in order of their names.
func (x *export) formats() []format {
	var all []format
	methods := reflect.ValueOf(x)
	for i := range methods.NumMethod() {
		if !strings.HasSuffix(methods.Type().Method(i).Name, "Format") {
			continue
		}
		if build, ok := methods.Method(i).Interface().(func() format); ok {
			all = append(all, build())
		}
	}
	slices.SortFunc(all, func(a, b format) int { return strings.Compare(a.name, b.name) })
	return all
}

func (x *export) formatNames() (names []string) {
	for _, f := range x.formats() {
		names = append(names, f.name)
	}
	return names
}

func (x *export) formatHelp() string {
	var b strings.Builder
	for _, f := range x.formats() {
		fmt.Fprintf(&b, "  %-8s %s\n", f.name, f.about)
	}
	return b.String()
}

func (x *export) format(name string) (format, error) {
	for _, f := range x.formats() {
		if f.name == name {
			return f, nil
		}
	}
	return format{}, usagef("--format %q is not known: choose one of %s", name, strings.Join(x.formatNames(), ", "))
}

// run looks the session up before it touches the file.
func (x *export) run(ctx context.Context, id string, f format, file string) error {
	if file == "" && f.raw && isTerminal(x.stdout) {
		return usagef("%s is not for a terminal: name a file with -o FILE, or send it to a program", f.name)
	}
	found, err := x.find(ctx, id)
	if err != nil {
		return err
	}
	defer found.close()
	if x.recorded = found; x.anonymize {
		if x.recorded, err = anonymized(ctx, found); err != nil {
			return err
		}
		x.argument = found.session.ID // the name of a file may be somebody's
	}
	if file == "" {
		return f.write(ctx, x.stdout)
	}
	return writeFile(ctx, file, f)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// writeFile leaves nothing behind that is not whole. A file of that name is
// replaced.
func writeFile(ctx context.Context, path string, f format) error {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("-o: %w: name a file that can be written", err)
	}
	if err := errors.Join(f.write(ctx, out), out.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
