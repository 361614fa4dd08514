package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"smtp-proxy/inspect/store"
)

// ShowCommand prints one session whole.
func (p *program) ShowCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "one session whole: dialogue, timings, TLS, findings",
		Long: `Show one session whole. ID may be shortened to any unique prefix; latest and
latest-failed name the newest ones.

-> and <- are the app's words and the upstream's, ~> and <~ where that leg is
under TLS; ** stands at what a finding points to; indented lines are the
proxy's own dialogue with the smarthost, its probes among them. The last line
says whether the app would get through without the proxy, where that is known.

` + fileHelp,
		Example: `  smtp-proxy show latest-failed
  smtp-proxy show 01JD8Z --json | jq .events`,
		Args:      arguments(1, 1, "the id of a session (latest, latest-failed, or as sessions lists it)"),
		ValidArgs: []string{"latest", "latest-failed"},
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.show(cmd.Context(), args[0], asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "a JSON object with all events")
	return cmd
}

func (p *program) show(ctx context.Context, id string, asJSON bool) error {
	found, err := p.find(ctx, id)
	if err != nil {
		return err
	}
	defer found.close()
	if asJSON {
		return jsonLines(p.stdout).Encode(found.session)
	}
	return transcript{screen: p.onStdout(), full: true, now: p.now}.session(found.session)
}

// lookupError says what to do where an id names no session, or several.
func lookupError(id string, err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound) && (id == "latest" || id == "latest-failed"):
		return fmt.Errorf("no session %q is recorded: send mail through smtp-proxy run, or name its directory with --data DIR", id)
	case errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("no session begins with %q: smtp-proxy sessions lists them", id)
	case errors.Is(err, store.ErrAmbiguous):
		return fmt.Errorf("several sessions begin with %q: write more of the id", id)
	}
	return err
}
