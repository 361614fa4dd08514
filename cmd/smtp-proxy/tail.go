package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"smtp-proxy/inspect"
)

// TailCommand follows the record as it grows, until it is interrupted.
func (p *program) TailCommand() *cobra.Command {
	since, asJSON := time.Duration(0), false
	cmd := &cobra.Command{
		Use:   "tail [FILTER…]",
		Short: "follow annotated sessions live",
		Long: `Follow sessions live: each when it has ended, and its findings again when they
change. It reads the record of a smtp-proxy run that works beside it.

-> and <- are the app's words and the upstream's, ~> and <~ where that leg is
under TLS; ** stands at what a finding points to; indented lines are the
proxy's own dialogue with the smarthost.

` + filterHelp,
		Example: `  smtp-proxy tail
  smtp-proxy tail --since 10m outcome:failed
  smtp-proxy tail --json | jq -r '.findings[0].cause'`,
		Args: arguments(0, 1000, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := p.filter(args)
			if err != nil {
				return err
			}
			return p.tail(cmd.Context(), f, since, asJSON)
		},
	}
	cmd.Flags().Var((*span)(&since), "since", "begin with the sessions of this time before now, such as 10m")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

func (p *program) tail(ctx context.Context, f inspect.Filter, since time.Duration, asJSON bool) error {
	s, err := p.readRecord()
	if err != nil {
		return err
	}
	defer s.Close()
	out := newFollower(transcript{screen: p.onStdout(), now: p.now})
	if asJSON {
		out.json = jsonLines(p.stdout)
	}
	defer out.live.clear()
	if out.live.live && !asJSON {
		fmt.Fprintln(p.stderr, out.live.paint(dim, "waiting for sessions; Ctrl-C ends"))
	}
	from := time.Time{} // nothing that was before
	if since > 0 {
		from = p.now().Add(-since)
	}
	return s.Follow(ctx, from, f, func(v *inspect.Session) error {
		if v.Ended.IsZero() || asJSON {
			return out.take(v)
		}
		whole, err := s.Session(ctx, v.ID)
		if err != nil {
			return err
		}
		return out.take(whole)
	})
}
