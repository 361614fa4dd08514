package diagnose

import (
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// endless returns the note about a line or a reply of the upstream that had
// not come to its end when the session had. One that ends after all is long,
// and no trouble.
func (f *facts) endless() *session.Entry {
	for _, e := range f.notes {
		if e.Odd == session.OddLongLine && e.Leg == session.Upstream && !f.answeredAfter(e.Seq) {
			return e
		}
	}
	return nil
}

// answeredAfter reports a whole reply of the upstream behind an entry.
func (f *facts) answeredAfter(seq int) bool {
	for i := len(f.replies) - 1; i >= 0 && f.replies[i].Seq > seq; i-- {
		if !f.replies[i].proxy {
			return true
		}
	}
	return false
}

// endlessReply blames what answers on the upstream's port for it. A greeting
// that has no reply's code is another protocol's, whatever that is.
func (f *facts) endlessReply(e *session.Entry) symptom {
	detail, words, _ := strings.Cut(e.Text, ": ")
	if _, _, _, ok := wire.ReplyLine([]byte(words)); f.greeting == nil && !ok {
		s := oneOf("connect.not-smtp", weightNetwork, e)
		s.values = map[string]string{"greeting": protocolOf(words), "detail": detail}
		s.what = "What answers there sends on and on in place of a greeting, and has no code of three digits in front: {greeting}."
		s.first = []string{f.firstWords()}
		return s
	}
	s := oneOf("protocol.invalid-reply", weightProtocol, e)
	s.values = map[string]string{"detail": detail, "reply": replyDue(e)}
	s.title = "{host} sends {reply} that does not end"
	s.what = "Where {reply} was due came {detail}, and not its end; a mail server's has some hundred. The app has done nothing wrong: what answers on {host} port {port} is no mail server, a broken one, or something in front of it that writes into the stream (a load balancer, a filter, a tarpit)."
	s.fix = []string{"Tell whoever runs {host}, with its first words as they stand here; a load balancer, a proxy or a filter in front of the server is the first suspect."}
	if f.greeting == nil {
		s.fix = append([]string{f.firstWords(), "If that is not the mail server you mean, correct the host or the port: 587 (STARTTLS) or 465 (TLS from the first byte)."}, s.fix...)
	} else {
		s.fix = append(s.fix, "Try another port of {host}: 587, 465 and 25 are often answered by different programs.")
	}
	return s
}

// firstWords is a step that looks at what answers without flooding the screen.
func (f *facts) firstWords() string {
	if f.tls[session.Upstream] != nil {
		return "See what answers there: openssl s_client -quiet -connect {host}:{port} | head -c 300"
	}
	return "See what answers there: nc {host} {port} | head -c 300"
}

// replyDue names the reply that an entry stands in place of.
func replyDue(e *session.Entry) string {
	switch e.Phase {
	case session.PhaseConnect, session.PhaseGreeting:
		return "a greeting"
	case session.PhaseHelo:
		return "a reply to EHLO"
	}
	return "a reply"
}
