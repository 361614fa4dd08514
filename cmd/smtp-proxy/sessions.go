package main

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// onTerminal is how many sessions a terminal gets unless more are asked for.
const onTerminal = 50

// SessionsCommand lists recorded sessions, newest first.
func (p *program) SessionsCommand() *cobra.Command {
	limit, asJSON := 0, false
	cmd := &cobra.Command{
		Use:   "sessions [FILTER…]",
		Short: "list and search recorded sessions",
		Long:  "List recorded sessions, newest first.\n\n" + filterHelp,
		Example: `  smtp-proxy sessions outcome:failed since:1d
  smtp-proxy sessions --json cause:auth.* | jq .findings[0].fix`,
		Args: arguments(0, 1000, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 0 {
				return usagef("--limit %d is negative: 0 lists all", limit)
			}
			f, err := p.filter(args)
			if err != nil {
				return err
			}
			if !asJSON && !cmd.Flags().Changed("limit") && p.onStdout().live {
				limit = onTerminal
			}
			s, err := p.readRecord()
			if err != nil {
				return err
			}
			defer s.Close()
			return p.list(cmd.Context(), s, f, limit, asJSON)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 0, "how many at most (default 50 on a terminal, else all)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

func (p *program) list(ctx context.Context, s *store.Store, f inspect.Filter, limit int, asJSON bool) error {
	if asJSON {
		out := jsonLines(p.stdout)
		return s.Sessions(ctx, f, limit, func(s *inspect.Session) error { return out.Encode(s) })
	}
	t := sessionTable{transcript{screen: p.onStdout(), now: p.now}}
	if !t.live {
		return s.Sessions(ctx, f, limit, t.plain)
	}
	var rows table
	rows.screen = t.screen
	err := s.Sessions(ctx, f, limit, func(s *inspect.Session) error {
		rows.add(t.row(s)...)
		return nil
	})
	if err != nil {
		return err
	}
	return rows.write()
}

// sessionTable writes sessions as rows.
type sessionTable struct{ transcript }

func (t sessionTable) row(s *inspect.Session) []cell {
	return []cell{
		{t.clock(s.Started), dim},
		{visible(s.ID), cyan},
		{string(s.Outcome), outcomeStyle(s.Outcome)},
		{inspect.Took(lasted(s)), dim},
		{visible(s.Upstream.Name), plainStyle},
		{orDash(causesOf(s)), plainStyle},
		{mailText(s), plainStyle},
	}
}

// plain writes a row for other programs: its cells parted by tabs.
func (t sessionTable) plain(s *inspect.Session) error {
	var texts []string
	for _, c := range t.row(s) {
		texts = append(texts, strings.TrimSpace(c.text))
	}
	texts[0] = s.Started.In(t.zone).Format("2006-01-02T15:04:05.000Z07:00")
	_, err := io.WriteString(t.out, strings.Join(texts, "\t")+"\n")
	return err
}

// mailText says from whom to whom, of the first message.
func mailText(s *inspect.Session) string {
	if len(s.Messages) == 0 {
		return "-"
	}
	m := s.Messages[0]
	text := "<" + m.From + "> ->"
	for i, r := range m.To {
		if i == 2 {
			text += " …"
			break
		}
		text += " <" + r.Addr + ">"
	}
	if m.Subject != "" {
		text += "  " + m.Subject
	}
	if n := len(s.Messages) + s.Omitted - 1; n > 0 {
		text += "  and " + inspect.Count(n, "message") + " more"
	}
	return visible(text)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
