package inspect

import (
	"time"

	"smtp-proxy/proxy/session"
)

// Examined is the session of a check: the proxy's own dialogue with a smarthost
// and what other probes have answered, in the form in which relayed sessions are
// diagnosed.
func Examined(info *session.Info, dialogue, answers []session.Entry, ended time.Time) *Session {
	a := NewAssembler(info)
	for i := range dialogue {
		a.Add(&dialogue[i])
	}
	a.Close(ended)
	s := a.Session()
	for i := range answers {
		answers[i].Seq = len(dialogue) + i + 1
		s.Answer(&answers[i])
	}
	return s
}
