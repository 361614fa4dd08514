package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"smtp-proxy/inspect"
	"smtp-proxy/upstream/replay"
)

// exitTrouble says that two things could not be compared, as diff(1) does: 1
// is the answer that they differ.
const exitTrouble ended = 2

// DiffCommand compares two sessions.
func (p *program) DiffCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "diff ID ID",
		Short: "two sessions compared by meaning",
		Long: `Compare two sessions by their meaning: what became of them and why, addresses
and look-ups, TLS and certificate, the keywords of EHLO in clear and under TLS,
the sign-in, each command with its reply, messages, edits, and what took
materially longer. Ids, dates, names of queues and of machines in a pool, and
the order of keywords are no differences. The most telling stands first.

An ID may be shortened to any unique prefix; latest and latest-failed name the
newest ones, and a file is a capture that export has written. ! stands at what
differs, < at what only the first session has, > at what only the second has.

It exits with 0 when nothing differs, with 1 on a difference, with 2 when the
two could not be compared, and with 64 for wrong usage.`,
		Example: `  smtp-proxy diff 01JD8Z latest-failed
  smtp-proxy diff yesterday.json latest --json | jq .differences`,
		Args:      arguments(2, 2, "the ids of two sessions (latest, latest-failed, or as sessions lists them)"),
		ValidArgs: []string{"latest", "latest-failed"},
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.diff(cmd.Context(), args, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "a JSON object with all differences")
	return cmd
}

func (p *program) diff(ctx context.Context, ids []string, asJSON bool) error {
	d, err := p.compared(ctx, ids)
	if err != nil {
		return errors.Join(err, exitTrouble)
	}
	for _, s := range d.sides {
		if s.Dropped > 0 {
			fmt.Fprintf(p.stderr, "smtp-proxy: the record of %s lacks %s, which may show as differences\n", visible(s.ID), counted(s.Dropped, "entry", "entries"))
		}
	}
	if asJSON {
		err = jsonLines(p.stdout).Encode(d.object())
	} else {
		err = d.show(comparison{transcript: transcript{screen: p.onStdout(), now: p.now}})
	}
	if err != nil {
		return errors.Join(err, exitTrouble)
	}
	if len(d.found) > 0 {
		return ended(exitFailed)
	}
	return nil
}

// comparedSessions are two sessions and what differs.
type comparedSessions struct {
	sides [2]*inspect.Session
	found []replay.Difference
}

// compared reads both sessions. Bodies are not compared, so that what they
// were read from is closed at once.
func (p *program) compared(ctx context.Context, ids []string) (d comparedSessions, err error) {
	var recordings [2]replay.Recording
	for i, id := range ids {
		found, err := p.find(ctx, id)
		if err != nil {
			return d, err
		}
		if err := found.close(); err != nil {
			return d, err
		}
		d.sides[i], recordings[i] = found.session, recordingOf(found)
	}
	d.found = append(sessionDifferences(d.sides[0], d.sides[1]), replay.Diff(recordings[0], recordings[1])...)
	if targetName(d.sides[0]) == sandboxName && targetName(d.sides[1]) == sandboxName {
		d.found = slices.DeleteFunc(d.found, ofSandbox)
	}
	replay.Order(d.found)
	return d, nil
}
