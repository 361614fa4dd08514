package diagnose

import (
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// greetingTrouble looks at a connection that stood and brought no SMTP
// greeting. A greeting that refuses is a reply like any other.
func greetingTrouble(f *facts, found []symptom) []symptom {
	if _, through := f.throughOf(); through || !f.connected || len(found) > 0 || f.tls[session.Upstream] != nil && f.tls[session.Upstream].Fault != nil {
		return nil
	}
	if f.greeting != nil {
		return otherProtocol(f)
	}
	if e := f.note(session.OddTLSOnPlain); e != nil && e.Leg == session.Upstream {
		return []symptom{oneOf("tls.implicit-expected", weightTLS, e)}
	}
	if e := f.strangeLine(); e != nil {
		s := oneOf("connect.not-smtp", weightNetwork, e)
		_, said, _ := strings.Cut(e.Text, ": ")
		s.values = map[string]string{"greeting": protocolOf(said)}
		return []symptom{s}
	}
	if e := f.endless(); e != nil {
		return []symptom{f.endlessReply(e)}
	}
	return noGreeting(f)
}

// strangeLine returns the note about a first line that is no reply.
func (f *facts) strangeLine() *session.Entry {
	for _, e := range f.notes {
		if e.Leg == session.Upstream && e.Odd == session.OddInvalidReply {
			return e
		}
	}
	return nil
}

// protocolOf names the protocol that a first line belongs to.
func protocolOf(line string) string {
	for _, p := range []struct{ begins, name string }{
		{"SSH-", "SSH"}, {"* OK", "IMAP"}, {"* BYE", "IMAP"}, {"+OK", "POP3"}, {"-ERR", "POP3"},
		{"HTTP/", "HTTP"}, {"<", "HTTP"}, {"220 ", "FTP"}, {"RFB", "VNC"},
	} {
		if strings.HasPrefix(strings.TrimSpace(line), p.begins) {
			return p.name + " (" + beginning(line, mostWords) + ")"
		}
	}
	return beginning(line, mostWords)
}

// otherProtocol finds a service that greets with 220 as SMTP does, and is FTP.
func otherProtocol(f *facts) []symptom {
	words := strings.ToLower(f.greeting.Text)
	if f.greeting.Code != 220 || f.hello[0] != nil || !strings.Contains(words, "ftp") || strings.Contains(words, "smtp") {
		return nil
	}
	s := oneOf("connect.not-smtp", weightNetwork, f.greeting)
	s.certainty = inspect.Likely
	s.values = map[string]string{"greeting": "FTP (" + beginning(f.greeting.Text, mostWords) + ")"}
	return []symptom{s}
}

// noGreeting tells who left, or went silent, before the greeting.
func noGreeting(f *facts) []symptom {
	left := f.closed[session.Upstream]
	switch {
	case f.implicitPort() && (left != nil || f.upstreamSilent()):
		s := oneOf("tls.implicit-expected", weightTLS, f.silenceOr(left))
		s.certainty = inspect.Likely
		return []symptom{s}
	case f.upstreamSilent():
		return []symptom{oneOf("connect.no-greeting", weightNetwork, f.silenceOr(nil))}
	case left == nil:
		return nil
	case left.Fault != nil && left.Fault.Class == session.FaultReset:
		return []symptom{oneOf("connect.reset", weightNetwork, left)}
	}
	return []symptom{oneOf("connect.closed", weightNetwork, left)}
}

// implicitPort reports a port that by custom expects TLS first, spoken to in
// clear.
func (f *facts) implicitPort() bool {
	return f.tls[session.Upstream] == nil && (f.port == "465" || f.port == "994" || f.port == "2465")
}

// upstreamSilent reports that the upstream had not greeted for as long as one
// may be expected to wait when the session ended, whoever ended it.
func (f *facts) upstreamSilent() bool {
	if e := f.note(session.OddTimeout); e != nil && e.Leg == session.Upstream {
		return true
	}
	since := f.s.Started
	for i := range f.s.Events {
		if e := &f.s.Events[i]; e.Kind == session.KindOpen && e.Leg == session.Upstream {
			since = e.At
		}
	}
	for _, left := range f.closed {
		if left != nil && left.At.Sub(since) >= patience {
			return true
		}
	}
	return false
}

// silenceOr returns the entry that shows a silence: the note of the core, else
// the given one, else the app's leaving.
func (f *facts) silenceOr(e *session.Entry) *session.Entry {
	if note := f.note(session.OddTimeout); note != nil {
		return note
	}
	if e != nil {
		return e
	}
	return f.closed[session.App]
}
