package main

import (
	"fmt"
	"slices"

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
	asm := inspect.NewAssembler(info)
	reply := 0
	for _, e := range history {
		asm.Add(e)
		if e.Code >= 400 {
			reply = e.Seq
		}
	}
	s := asm.Session()
	s.Upstream.Provider = a.engine.Provider(s)
	findings := a.engine.Annotate(s)
	if len(findings) == 0 {
		return ""
	}
	at := slices.IndexFunc(findings, func(f inspect.Finding) bool { return shows(&f, reply) })
	f := findings[max(at, 0)]
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
