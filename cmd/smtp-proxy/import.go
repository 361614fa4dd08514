package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"smtp-proxy/inspect"
	captures "smtp-proxy/inspect/capture"
	"smtp-proxy/inspect/store"
)

// ImportCommand puts captures into the record.
func (p *program) ImportCommand() *cobra.Command {
	schema := false
	cmd := &cobra.Command{
		Use:   "import FILE…",
		Short: "put captures (export --format json) into the record",
		Long: `Put the sessions of captures into the record, with their messages, beside a
smtp-proxy that may be recording there. A capture is a file that export --format
json has written; several may stand one behind the other in a file, and - is
standard input. Sessions that are there already stay as they are.

Of a session that is damaged nothing is imported, nor of those behind it in its
file; the error names the line. Retention (--keep) goes by when a session began.`,
		Example: `  smtp-proxy import ticket-4711.json
  smtp-proxy export latest-failed --data elsewhere | smtp-proxy import -`,
		Args: func(cmd *cobra.Command, args []string) error {
			if schema {
				return noArguments(cmd, args)
			}
			return arguments(1, 10_000, "a file that export --format json has written, or - for standard input")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if schema {
				_, err := io.WriteString(p.stdout, captures.Schema())
				return err
			}
			return p.importFiles(cmd.Context(), args)
		},
	}
	cmd.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of a capture's lines, and import nothing")
	return cmd
}

// imports is what came of an import.
type imports struct {
	*program
	to          *store.Guest
	came, twice int // sessions that are new, and that were there
	errs        []error
}

func (p *program) importFiles(ctx context.Context, paths []string) error {
	to, err := p.guest()
	if err != nil {
		return err
	}
	if to == nil {
		return usagef("--data none keeps no record: name the directory that sessions go to with --data DIR")
	}
	defer to.Close()
	i := &imports{program: p, to: to}
	for _, path := range paths {
		if err := i.file(ctx, path); err != nil {
			i.errs = append(i.errs, err)
		}
	}
	fmt.Fprintf(p.stdout, "%s imported", inspect.Count(i.came, "session"))
	if i.twice > 0 {
		fmt.Fprintf(p.stdout, ", %d there already", i.twice)
	}
	fmt.Fprintln(p.stdout)
	return errors.Join(i.errs...)
}

func (i *imports) file(ctx context.Context, path string) error {
	in, err := i.openCaptures(ctx, path)
	if err != nil {
		return err
	}
	defer in.Close()
	for n := 0; ; n++ {
		one, err := in.Next()
		switch {
		case errors.Is(err, io.EOF) && n == 0:
			return fmt.Errorf("%s holds no session: name a file that smtp-proxy export --format json has written", in.name)
		case errors.Is(err, io.EOF):
			return nil
		case err == nil:
			err = i.session(ctx, in.name, one)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", in.name, err)
		}
	}
}

// session imports one session. One that has not ended is passed over.
func (i *imports) session(ctx context.Context, file string, one *captures.Capture) error {
	id := one.Session.ID
	switch err := i.to.Import(ctx, one.Session, storeBody(one)); {
	case errors.Is(err, store.ErrExists):
		i.twice++
		fmt.Fprintf(i.stdout, "%s  there already\n", id)
	case errors.Is(err, store.ErrOpen):
		i.errs = append(i.errs, fmt.Errorf("%s: line %d: session %s had not ended when it was exported: export it again", file, one.Line, id))
	case err != nil:
		return err
	default:
		i.came++
		fmt.Fprintf(i.stdout, "%s  imported%s\n", id, contentText(one.Contents))
	}
	return nil
}

// contentText says what came of messages.
func contentText(list []captures.Content) string {
	if len(list) == 0 {
		return ", without messages"
	}
	octets := int64(0)
	for _, c := range list {
		octets += c.Octets
	}
	return fmt.Sprintf(", with %s of %d octets", inspect.Count(len(list), "message"), octets)
}
