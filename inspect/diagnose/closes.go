package diagnose

import (
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// silences reads the core's note that a side had been silent for too long.
func silences(f *facts, found []symptom) []symptom {
	e := f.note(session.OddTimeout)
	if _, through := f.throughOf(); through || e == nil || len(found) > 0 {
		return nil
	}
	if e.Leg == session.Upstream {
		return []symptom{oneOf("upstream.timeout", weightClose, e)}
	}
	if !f.wanted() {
		return nil // an idle connection that its app forgot
	}
	return []symptom{oneOf("app.timeout", weightClose, e)}
}

// closes tells who broke off what. Whoever was silent for long when the other
// side left is the cause; below that the leaving is. Leaving behind a refusal
// is no failure of its own.
func closes(f *facts, found []symptom) []symptom {
	app, up := f.closed[session.App], f.closed[session.Upstream]
	if _, through := f.throughOf(); through || len(found) > 0 || app == nil && up == nil {
		return nil
	}
	if up != nil && (app == nil || up.Seq < app.Seq) {
		return upstreamLeft(f, up)
	}
	return appLeft(f, app)
}

// upstreamLeft judges an upstream that closed first.
func upstreamLeft(f *facts, left *session.Entry) []symptom {
	switch {
	case f.saidGoodbye():
		return nil
	case f.waits():
		s := oneOf("upstream.closed", weightClose, left)
		return []symptom{s}
	case !f.wanted():
		return nil // an idle connection
	case f.silent(session.App, left.At) >= patience:
		s := oneOf("app.timeout", weightClose, left)
		s.certainty = inspect.Likely
		return []symptom{s}
	}
	return []symptom{oneOf("upstream.closed", weightClose, left)}
}

// appLeft judges an app that closed first.
func appLeft(f *facts, left *session.Entry) []symptom {
	late := f.note(session.OddVanishedVerdict)
	switch {
	case f.waits() || late != nil:
		return f.leftWaiting(left, late)
	case !f.wanted():
		return nil
	}
	return []symptom{oneOf("app.disconnected", weightClose, left)}
}

// leftWaiting is an app that left while a reply was due.
func (f *facts) leftWaiting(left, late *session.Entry) []symptom {
	s := oneOf("app.disconnected", weightClose, left)
	if !f.wanted() && late == nil {
		return nil
	}
	if late != nil {
		s.evidence = append(s.evidence, late)
		s.what = "The app closed the connection after its message and before the verdict came. The verdict is in the record, and the message was handled as it says; the app does not know it."
	}
	if f.silent(session.Upstream, left.At) >= patience {
		s.cause = "upstream.timeout"
	}
	return []symptom{s}
}

// wanted reports whether the app was in the middle of something: a
// transaction, a sign-in, or a message.
func (f *facts) wanted() bool {
	if f.inBody || f.openTransaction() {
		return true
	}
	for _, c := range f.commands {
		if c.Verb == "MAIL" || c.Verb == "AUTH" || c.Verb == "DATA" {
			return true
		}
	}
	return false
}

// waits reports whether a reply was due to the app.
func (f *facts) waits() bool {
	for _, c := range f.commands {
		if c.Verb != "QUIT" {
			return true
		}
	}
	return f.bodySent()
}

// bodySent reports a message that was sent whole and has no verdict.
func (f *facts) bodySent() bool {
	return f.openTransaction() && f.lastKind(session.KindData) > f.lastReply()
}

func (f *facts) lastKind(kind session.Kind) (seq int) {
	for i := range f.s.Events {
		if e := &f.s.Events[i]; e.Kind == kind {
			seq = e.Seq
		}
	}
	return seq
}

// lastReply returns the Seq of the upstream's last reply.
func (f *facts) lastReply() (seq int) {
	for i := range f.replies {
		if r := &f.replies[i]; !r.proxy {
			seq = r.Seq
		}
	}
	return seq
}

// saidGoodbye reports that the upstream announced its leaving.
func (f *facts) saidGoodbye() bool {
	for i := range f.replies {
		if r := &f.replies[i]; !r.proxy && (r.Code == 221 || r.Code == 421) {
			return true
		}
	}
	return false
}

// silent tells for how long nothing had come from a side at a moment.
func (f *facts) silent(side session.Side, at time.Time) time.Duration {
	heard := f.s.Started
	for i := range f.s.Events {
		e := &f.s.Events[i]
		if e.Leg == side && e.From != session.FromProxy && e.Kind != session.KindClose && e.At.Before(at) {
			heard = e.At
		}
	}
	if waiting := f.waitingSince(); side == session.Upstream && waiting.After(heard) {
		heard = waiting
	}
	return at.Sub(heard)
}

// waitingSince is when the latest command without a reply, or the message,
// went out: silence before it was not the upstream's.
func (f *facts) waitingSince() (at time.Time) {
	for _, c := range f.commands {
		if c.At.After(at) {
			at = c.At
		}
	}
	for i := range f.s.Events {
		if e := &f.s.Events[i]; e.Kind == session.KindData && e.At.After(at) {
			at = e.At
		}
	}
	return at
}
