package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"smtp-proxy/policy"
)

// RunCommand relays, records and annotates until it is told to stop.
func (p *program) RunCommand() *cobra.Command {
	c := policy.Defaults()
	cmd := &cobra.Command{
		Use:   "run --upstream HOST:PORT",
		Short: "relay between the app and the smarthost, record, annotate",
		Example: `  smtp-proxy run --upstream smtp.example.com:587
  smtp-proxy run --upstream smtps://smtp.example.com --app-tls offer
  smtp-proxy run --upstream sandbox
  smtp-proxy run --transparent --tls passthrough
  smtp-proxy run --config smtp-proxy.toml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.Data, c.Routes = p.data, p.file.Routes
			return p.relay(cmd.Context(), c)
		},
	}
	runFlags(cmd.Flags(), &c)
	return cmd
}

// relay runs the proxy until ctx ends.
func (p *program) relay(ctx context.Context, c policy.Config) error {
	if err := check(c); err != nil {
		return err
	}
	easeCollector()
	x, err := p.newPlant(c, nil)
	if err != nil {
		return err
	}
	x.announce()
	x.hints().write(p.stdout)
	return errors.Join(x.run(ctx), x.close())
}
