package proxy

import (
	"slices"
	"time"

	"smtp-proxy/proxy/session"
)

// annotateWithin is how long the last line of a failing reply waits for its
// annotation, at most.
const annotateWithin = 20 * time.Millisecond

// Annotator says in a few words why a session has just failed: the cause and
// where to read more. It gets the session's history up to the failing reply,
// has annotateWithin to answer, and must not wait for a disk or a network. An
// empty answer leaves the reply as it was.
type Annotator interface {
	Annotate(info *session.Info, history []*session.Entry) string
}

// The part of a long history that an annotation may look at.
const (
	toldFirst = 64
	toldLast  = 192
)

// remember keeps what an annotation may look at.
func (r *relay) remember(e *session.Entry) {
	if r.route.Annotator == nil {
		return
	}
	if len(r.told) >= toldFirst+2*toldLast {
		r.told = slices.Delete(r.told, toldFirst, len(r.told)-toldLast)
	}
	r.told = append(r.told, e)
}

// annotate lets a failing reply go, with a line of the annotator's if that is
// there in time. The relay's lock is held on entry and exit, not meanwhile:
// only the direction that brought the reply waits.
func (r *relay) annotate() {
	if !r.explain {
		return
	}
	r.explain = false
	history := slices.Clone(r.told)
	r.mu.Unlock()
	note := r.ask(history)
	r.mu.Lock()
	r.apply(r.m.Annotated(time.Now(), note))
}

// ask waits for the annotator, but not for long. One that takes longer ends by
// itself; its answer is dropped.
func (r *relay) ask(history []*session.Entry) string {
	answer := make(chan string, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				r.server.options.Log.Error().Str("session", r.info.ID).Interface("panic", p).Msg("a bug in the annotation; the reply went out without one")
				answer <- ""
			}
		}()
		answer <- r.route.Annotator.Annotate(r.info, history)
	}()
	timeUp := time.NewTimer(annotateWithin)
	defer timeUp.Stop()
	select {
	case note := <-answer:
		return note
	case <-timeUp.C:
		return ""
	}
}
