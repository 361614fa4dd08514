package diagnose

import (
	"fmt"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// through is a handshake that app and upstream made with each other, read on
// its way. The core records it once for each leg; a fault stands on the leg of
// the side that broke it.
type through struct {
	*facts
	app, upstream *session.Entry // never nil
}

// throughOf returns the handshake of a passthrough session.
func (f *facts) throughOf() (x through, ok bool) {
	x = through{f, f.shaken[session.App], f.shaken[session.Upstream]}
	if x.app == nil && x.upstream == nil {
		return x, false
	}
	for _, e := range []**session.Entry{&x.app, &x.upstream} {
		if *e == nil { // the record has a gap
			*e = &session.Entry{TLS: &session.TLS{Passthrough: true}}
		}
	}
	return x, true
}

// passthrough reads a handshake that is not the proxy's own. A certificate
// that does not verify here is a finding only when the app broke off: one that
// went on trusts it.
func passthrough(f *facts, found []symptom) []symptom {
	x, ok := f.throughOf()
	if !ok || len(found) > 0 {
		return nil
	}
	var s symptom
	switch {
	case x.app.Fault != nil:
		s, ok = x.appBroke(x.app)
	case x.upstream.Fault != nil:
		s, ok = x.upstreamBroke(x.upstream)
	default:
		s, ok = x.behind()
	}
	if !ok {
		return nil
	}
	return []symptom{s}
}

// behind judges what came when the handshake had been made: under TLS 1.3 a
// refusal is the refusing side's first word then. Of the mail itself nothing
// is seen, so of all other ends only a reset is worth a word.
func (x through) behind() (symptom, bool) {
	app, up := x.closed[session.App], x.closed[session.Upstream]
	switch {
	case lateRefusal(app) && app.Fault.Class == session.FaultAlert:
		return x.appBroke(app)
	case lateRefusal(app), x.leftAtOnce():
		return x.leftEstablished(app), true
	case x.refusedLate():
		return x.upstreamBroke(up)
	}
	if e := x.waitedInVain(); e != nil {
		return unanswered(e), true
	}
	first := app
	if first == nil || up != nil && up.Seq < app.Seq {
		first = up
	}
	if first == nil || first.Fault == nil || first.Fault.Class != session.FaultReset {
		return symptom{}, false
	}
	return cutTunnel(first), true
}

// lateRefusal reports a close that an alert came with, other than the one that
// every orderly end has.
func lateRefusal(left *session.Entry) bool {
	if left == nil || left.Fault == nil {
		return false
	}
	return left.Fault.Class == session.FaultHiddenAlert ||
		left.Fault.Class == session.FaultAlert && left.Fault.Alert != alertCloseNotify
}

// refusedLate reports an upstream that refused the app behind the handshake.
// What it says when the app has left answers that.
func (x through) refusedLate() bool {
	app, up := x.closed[session.App], x.closed[session.Upstream]
	if !lateRefusal(up) {
		return false
	}
	return app == nil || up.Seq < app.Seq || up.Silent != nil && up.At.Add(-up.Silent.Upstream).Before(app.At)
}

// leftEstablished is an app that made the handshake and then left without a
// word, or with an alert that cannot be read. Its Finished says that it agrees,
// so that is hardly a refusal: a program that only looks whether TLS works ends
// so, with close_notify, which has the size of any alert. Some libraries look at
// the certificate only then.
func (x through) leftEstablished(left *session.Entry) symptom {
	s := x.refusedCertificate(left, inspect.Possible)
	if s.cause != "tls.app-rejected-certificate" {
		return s
	}
	s.title = "The app left right behind its TLS handshake with {host}"
	s.what, s.more = x.howRefused(left), "The certificate of {host} (for {names}, issued by {issuer}) verifies on this machine; if the app minds it, it has another list of roots, an old one or none, or expects another name."
	if x.shown() == nil {
		s.more = "If it minds the certificate, what is wrong with that is not known: TLS 1.3 hides it, and it was not asked for."
	}
	s.first = []string{"If this is a monitor: nothing is wrong. One that says QUIT before it leaves is not reported."}
	return s
}

// leftAtOnce reports an app that made the handshake and then left without a
// word: some libraries look at the certificate only then (Node.js), and close
// without an alert.
func (x through) leftAtOnce() bool {
	left := x.closed[session.App]
	if left == nil || left.Fault == nil || left.Fault.Op != "handshake" || left.At.Sub(x.app.At) >= patience {
		return false
	}
	return left.Fault.Class == session.FaultClosed || left.Fault.Class == session.FaultReset
}

// waitedInVain reports an end of the tunnel at which the upstream had owed an
// answer for long.
func (x through) waitedInVain() *session.Entry {
	for _, e := range []*session.Entry{x.closed[session.App], x.note(session.OddTimeout)} {
		if e != nil && e.Silent != nil && e.Silent.App >= patience && e.Silent.Upstream > e.Silent.App {
			return e
		}
	}
	return nil
}

func cutTunnel(left *session.Entry) symptom {
	s := oneOf("app.disconnected", weightClose, left)
	s.what = "The app reset the connection while it was under TLS with {host}. What was under way then only the two know: in passthrough the proxy cannot read it."
	if left.Leg == session.Upstream {
		s.cause = "upstream.closed"
		s.what = "{host} reset the connection while it was under TLS with the app. What was under way then only the two know: in passthrough the proxy cannot read it."
	}
	s.certainty = inspect.Possible
	return s
}

// unanswered is an upstream that the app waited for under TLS: the protocol
// has one side speak at a time, and the app had spoken last.
func unanswered(e *session.Entry) symptom {
	s := oneOf("upstream.timeout", weightClose, e)
	s.certainty = inspect.Likely
	s.what = fmt.Sprintf("The app spoke last, and for %s nothing came from {host}. What it was about only the two know: in passthrough the proxy cannot read it.", briefly(e.Silent.Upstream))
	return s
}
