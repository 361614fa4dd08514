package main

import (
	"fmt"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
)

// replyAnnotator words the line that --annotate adds to a failing reply. Its
// engine has no history: it must not wait for a disk.
type replyAnnotator struct{ engine *diagnose.Engine }

// Annotate names the cause that the latest reply shows, and the session that
// says more.
func (a replyAnnotator) Annotate(info *session.Info, history []*session.Entry) string {
	if len(history) == 0 {
		return ""
	}
	asm := inspect.NewAssembler(info)
	for _, e := range history {
		asm.Add(e)
	}
	findings := a.engine.Annotate(asm.Session())
	if len(findings) == 0 {
		return ""
	}
	f := findings[0]
	for i := range findings {
		if shows(&findings[i], history[len(history)-1].Seq) {
			f = findings[i]
			break
		}
	}
	return fmt.Sprintf("smtp-proxy: %s (session %s)", f.Cause, info.ID)
}

// shows reports whether a finding rests on an entry.
func shows(f *inspect.Finding, seq int) bool {
	for _, e := range f.Evidence {
		if e.Event == seq {
			return true
		}
	}
	return false
}
