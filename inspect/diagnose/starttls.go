package diagnose

import (
	"regexp"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// masked is what firewalls write over STARTTLS: as many X, and an A or
// nothing behind them.
var masked = regexp.MustCompile(`(?m)^250[- ]X{6,}A?\b`)

// startTLS looks at STARTTLS that is not on offer, was refused, or was removed
// on the path.
func startTLS(f *facts, found []symptom) []symptom {
	if len(found) > 0 {
		return nil
	}
	if e := f.hello[0]; e != nil && strings.Contains(e.Text, "XXXXXX") && masked.MatchString(e.Text) {
		if _, ok := offered(e.Text, "STARTTLS"); !ok {
			s := oneOf("tls.stripped", weightTLS, e)
			s.what = "The EHLO reply has {detail} where STARTTLS should stand: the keyword was there, and was overwritten on the way. Some firewalls do that to read the mail. Whoever removes it can read passwords and messages."
			s.values = map[string]string{"detail": strings.TrimSpace(masked.FindString(e.Text)[len("250-"):])}
			return []symptom{s}
		}
	}
	if e := f.note(session.OddNotOffered); e != nil {
		s := oneOf("tls.not-offered", weightTLS, e)
		if f.hello[0] != nil {
			s.evidence = append(s.evidence, f.hello[0])
		}
		return f.offeredOnce(s)
	}
	if s, ok := f.appWantsTLS(); ok {
		return f.offeredOnce(s)
	}
	if e := f.note(session.OddTLSRefused); e != nil && !f.delivered() {
		return []symptom{f.refusedTLS(e)}
	}
	if e := f.note(session.OddUnknownTLS); e != nil && !f.delivered() {
		return []symptom{askedForTLS(e)}
	}
	return nil
}

// refusedTLS is an upstream that answered STARTTLS with an error.
func (f *facts) refusedTLS(note *session.Entry) symptom {
	s := oneOf("tls.starttls-refused", weightTLS, note)
	for i := range f.s.Events {
		if e := &f.s.Events[i]; e.Kind == session.KindReply && e.Verb == "STARTTLS" && e.Code >= 400 && e.From == session.FromUpstream {
			s.evidence = []*session.Entry{e}
			s.code, s.text = e.Code, e.Text
		}
	}
	return s
}

// appWantsTLS is an app that speaks to the upstream itself, finds no STARTTLS
// there and leaves, or asks for it all the same.
func (f *facts) appWantsTLS() (s symptom, ok bool) {
	hello := f.hello[0]
	if !f.s.Passthrough || hello == nil {
		return s, false
	}
	if _, on := offered(hello.Text, "STARTTLS"); on {
		return s, false
	}
	proof := f.refusedOrLeft(hello.Seq)
	if proof == nil {
		return s, false
	}
	s = oneOf("tls.not-offered", weightTLS, proof)
	s.evidence = append(s.evidence, hello)
	s.certainty = inspect.Likely
	s.title = "{host} does not offer STARTTLS, and the app seems to demand it"
	s.what = "The EHLO reply of {host} lists no STARTTLS, and the app did nothing more than ask for it or leave."
	if f.tookLeave(hello.Seq) {
		s.certainty = inspect.Possible
		s.what += " It took its leave with QUIT, as a program does, too, that only looks whether {host} answers."
	}
	s.fix = []string{
		"Use a port of {host} that has TLS: 465 with SSL/TLS in the app, or 587 with STARTTLS if this was another one.",
		"Ask whoever runs {host} to switch STARTTLS on.",
		"Only where clear text is acceptable (the same machine, a private wire): switch TLS off in the app.",
	}
	return s, true
}

// refusedOrLeft returns the refusal of the app's STARTTLS behind an EHLO reply,
// or the app's leaving when it had wanted nothing else.
func (f *facts) refusedOrLeft(seq int) *session.Entry {
	for i := range f.replies {
		if r := &f.replies[i]; r.Seq > seq && r.Verb == "STARTTLS" && r.Code >= 500 {
			return r.Entry
		}
	}
	left := f.last[session.App] // a QUIT where the upstream was quicker to close
	if left == nil || left.Kind != session.KindClose && left.Verb != "QUIT" || len(f.mails) > 0 || f.auth.last != nil || left.At.Sub(f.hello[0].At) >= patience {
		return nil
	}
	for i := range f.s.Events {
		e := &f.s.Events[i]
		if e.Seq > seq && e.Kind == session.KindCommand && e.Verb != "QUIT" {
			return nil
		}
	}
	return left
}

// tookLeave reports an app that said QUIT behind an entry, was answered, and
// had asked for no TLS: monitors do so as well.
func (f *facts) tookLeave(seq int) bool {
	for i := range f.replies {
		if r := &f.replies[i]; r.Seq > seq && r.Verb == "QUIT" && r.Code == 221 {
			return !f.askedForTLS(r.Seq)
		}
	}
	return false
}

func askedForTLS(e *session.Entry) symptom {
	s := oneOf("tls.not-offered", weightTLS, e)
	s.title = "The app wants STARTTLS, and this proxy does not offer it to the app"
	s.what = "TLS on the app's leg is off (--app-tls none), and the app asked for it all the same. The way to {host} is a leg of its own."
	s.fix = []string{
		"Run the proxy with --app-tls offer, and let the app trust its authority (smtp-proxy ca show).",
		"Or switch STARTTLS off in the app for the way to localhost.",
	}
	return s
}

// protocolTrouble reads what the core noted about how the two sides speak.
func protocolTrouble(f *facts, found []symptom) (symptoms []symptom) {
	if len(found) > 0 {
		return nil
	}
	if e := f.note(session.OddHTTP); e != nil { // whatever else looks odd of it is no wonder
		return []symptom{oneOf("protocol.not-smtp", weightProtocol, e)}
	}
	if e := f.endless(); e != nil { // what comes behind it is its echo
		return []symptom{f.endlessReply(e)}
	}
	for _, e := range f.notes {
		s := oneOf("", weightProtocol, e)
		switch e.Odd {
		case session.OddInjection:
			s.cause = "protocol.starttls-injection"
		case session.OddSmuggling:
			if f.delivered() { // passed, as the owner chose
				continue
			}
			s.cause = "protocol.smuggling"
			s.values = map[string]string{"detail": inParentheses(e.Text)}
		case session.OddLongLine:
			if e.Leg == session.Upstream {
				continue // endless, or no trouble
			}
			s.cause = "protocol.line-too-long"
		case session.OddTLSRequired:
			s = tlsDemanded(e)
		case session.OddBadSequence:
			s.cause = "protocol.bad-sequence"
		case session.OddEarlyTalk, session.OddPipelining:
			if !f.troubled() {
				continue
			}
			s.cause, s.certainty = "protocol.pipelining-violation", inspect.Likely
		case session.OddInvalidReply:
			s.cause = "protocol.invalid-reply"
		case session.OddUnsolicited:
			s.cause = "protocol.desync"
		default:
			continue
		}
		symptoms = append(symptoms, s)
	}
	return symptoms
}

// tlsDemanded is an app that went on in clear although the owner's settings
// demand TLS on its leg or before anything else.
func tlsDemanded(e *session.Entry) symptom {
	s := oneOf("tls.required", weightTLS, e)
	s.title = "This proxy's settings demand TLS first, and the app went on without"
	s.what = "The refusal is the proxy's own: {detail}."
	s.values = map[string]string{"detail": firstLine(e.Text)}
	s.fix = []string{
		"Switch STARTTLS on in the app, or relax the setting that the reply names (--app-tls require, --upstream-tls starttls).",
	}
	return s
}

// troubled reports whether the app was refused anything, so that an oddity
// which most servers bear may be the reason.
func (f *facts) troubled() bool {
	for i := range f.replies {
		if f.replies[i].Code >= 400 && !f.replies[i].proxy && f.pipeliningRefusal(&f.replies[i]) {
			return true
		}
	}
	return false
}

// pipeliningRefusal reports a reply that may be the answer to talking early.
func (f *facts) pipeliningRefusal(r *reply) bool {
	return r.Kind == session.KindGreeting || r.Code == 503 || r.Code == 554 && r.Verb != "RCPT" && r.Verb != "."
}

// inParentheses takes the part of a note that names a sequence.
func inParentheses(text string) string {
	_, rest, ok := strings.Cut(text, "(")
	if !ok {
		return ""
	}
	inside, _, _ := strings.Cut(rest, ")")
	return inside
}
