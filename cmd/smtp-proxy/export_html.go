package main

import (
	"context"
	"io"
	"time"

	"smtp-proxy/inspect/web"
)

// HtmlFormat is a report for a ticket.
func (x *export) HtmlFormat() format {
	return format{
		name:  "html",
		about: "one page for a ticket: findings, facts, dialogue; loads nothing, runs nothing",
		file:  ".html", kind: "text/html; charset=utf-8",
		write: func(_ context.Context, w io.Writer) error {
			return web.Report(w, x.session, web.ReportOptions{
				Zone: time.Local, Made: x.now(), By: "smtp-proxy " + version(), Anonymized: x.anonymize,
			})
		},
	}
}
