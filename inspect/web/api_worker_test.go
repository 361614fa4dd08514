package web_test

import (
	"context"
	"errors"
	"fmt"
	"io"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/web"
)

// worker does what a site has done for it: it checks, replays and exports
// nothing, and tells of what it was asked for.
type worker struct{}

func (worker) Check(ctx context.Context, r web.CheckRequest, told func(web.CheckStep)) (web.CheckResult, error) {
	switch r.Target {
	case "nonsense":
		return web.CheckResult{}, errors.New("the target is nonsense")
	case "busy":
		return web.CheckResult{}, web.ErrBusy
	case "late":
		told(web.CheckStep{Name: "dns", Status: "ok"})
		return web.CheckResult{}, errors.New("too late to say")
	case "stalled":
		told(web.CheckStep{Name: "dns", Status: "ok"})
		<-ctx.Done()
		return web.CheckResult{}, ctx.Err()
	}
	steps := []web.CheckStep{{Name: "dns", Status: "ok", Text: r.Target, MS: 1.5}, {Name: "tcp", Status: "fail", Text: "refused\nhere", MS: 20}}
	for _, s := range steps {
		told(s)
	}
	return web.CheckResult{Target: r.Target, Steps: steps, Findings: []inspect.Finding{{Cause: "connect.refused"}}, Verdict: "refused", Exit: 2}, nil
}

func (worker) Plan(_ context.Context, r web.ReplayRequest) (web.ReplayPlan, error) {
	if r.Upstream == "nowhere" {
		return web.ReplayPlan{}, errors.New("there is no upstream nowhere")
	}
	return web.ReplayPlan{Session: r.Session, Target: r.Upstream, Sends: [][]string{{"EHLO a"}}, Recipients: r.To}, nil
}

func (worker) Replay(_ context.Context, r web.ReplayRequest) (web.ReplayResult, error) {
	switch r.Upstream {
	case "nowhere":
		return web.ReplayResult{}, errors.New("there is no upstream nowhere")
	case "busy":
		return web.ReplayResult{}, fmt.Errorf("replay: %w", web.ErrBusy)
	}
	return web.ReplayResult{
		Session: r.Session, Target: r.Upstream, Verdict: fmt.Sprint(r.To, r.Deliver),
		Steps: []web.ReplayStep{{Recorded: "220 hi", Now: "220 hi", Same: true}}, Added: []web.ReplayAdded{{Command: "RSET", Now: "250 OK", MS: 1}},
	}, nil
}

func (worker) Formats() []web.Format {
	return []web.Format{{Name: "swaks", About: "a command", File: ".sh", Type: "text/plain; charset=utf-8"}, {Name: "html", About: "a page", File: ".html", Type: "text/html; charset=utf-8", Shown: true}}
}

func (worker) Export(_ context.Context, w io.Writer, r web.ExportRequest) error {
	switch r.Message {
	case 7:
		return errors.New("it has no message 7")
	case 8:
		fmt.Fprint(w, "the beginning")
		return errors.New("the rest is gone")
	}
	_, err := fmt.Fprintf(w, "<script>%s %s %d %v</script>", r.Session, r.Format, r.Message, r.Anonymize)
	return err
}
