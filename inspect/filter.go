package inspect

import (
	"net"
	"slices"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
)

// Filter selects sessions. It is what `tail`, `sessions`, the page and the API
// accept: words that must all hold, such as
//
//	cause:tls.* outcome:failed upstream:smtp.gmail.com from:*@example.com
//	to:bob@example.net code:550 since:2h "two words" -route:test
//
// A * stands for anything. A leading - or ! turns a word round. Case does not
// matter. The zero Filter selects every session. A filter sees what a session
// lists: of a message with more than 1000 recipients, the first 1000.
type Filter struct {
	terms []Term
}

// Term is one word of a filter.
type Term struct {
	Key   string // one of [FilterKeys], or empty for free text
	Value string // in lower case
	Not   bool

	at  time.Time     // of since and before: the moment
	ago time.Duration // of since and before: how long ago; at is zero then
}

// FilterKeys returns the keys that a filter knows, in alphabetical order.
func FilterKeys() []string {
	return []string{"app", "before", "cause", "code", "from", "id", "outcome", "provider", "route", "since", "subject", "tls", "to", "upstream", "user"}
}

// Terms returns the words of the filter. A store may use them to narrow down
// what it reads; [Filter.Match] has the last word.
func (f Filter) Terms() []Term { return f.terms }

// With returns the filter with the words of another added.
func (f Filter) With(other Filter) Filter {
	return Filter{terms: append(f.terms[:len(f.terms):len(f.terms)], other.terms...)}
}

// At fixes "since:2h" and the like to the moment that they mean now. Without
// it they are measured from the moment of each look.
func (f Filter) At(now time.Time) Filter {
	out := Filter{terms: make([]Term, len(f.terms))}
	for i, t := range f.terms {
		if t.at.IsZero() && (t.Key == "since" || t.Key == "before") {
			t.at = now.Add(-t.ago)
		}
		out.terms[i] = t
	}
	return out
}

// Moment returns the time that a since or before means, zero for other keys.
func (t Term) Moment(now time.Time) time.Time {
	switch {
	case t.Key != "since" && t.Key != "before":
		return time.Time{}
	case t.at.IsZero():
		return now.Add(-t.ago)
	}
	return t.at
}

// Match reports whether the filter selects a session.
func (f Filter) Match(s *Session) bool {
	for _, t := range f.terms {
		if t.holds(s) == t.Not {
			return false
		}
	}
	return true
}

func (t Term) holds(s *Session) bool {
	switch t.Key {
	case "":
		return t.inText(s)
	case "since":
		return !s.Started.Before(t.Moment(time.Now()))
	case "before":
		return s.Started.Before(t.Moment(time.Now()))
	case "id":
		return glob(strings.TrimSuffix(t.Value, "*")+"*", s.ID)
	case "outcome":
		return glob(t.Value, string(s.Outcome))
	case "route":
		return glob(t.Value, s.Route)
	case "provider":
		return glob(t.Value, s.Upstream.Provider)
	case "app":
		return glob(t.Value, s.App.Helo) || host(t.Value, s.App.Addr)
	case "upstream":
		return host(t.Value, s.Upstream.Name) || host(t.Value, s.Upstream.Addr)
	case "tls":
		return t.hasTLS(s)
	case "user":
		return s.Auth != nil && address(t.Value, s.Auth.Username)
	}
	return t.holdsAny(s)
}

// holdsAny looks at what a session may have several of.
func (t Term) holdsAny(s *Session) bool {
	switch t.Key {
	case "cause":
		return anyOf(s.Findings, func(f *Finding) bool { return glob(t.Value, f.Cause) })
	case "from":
		return anyOf(s.Messages, func(m *Message) bool { return address(t.Value, m.From) })
	case "subject":
		return anyOf(s.Messages, func(m *Message) bool { return glob("*"+t.Value+"*", m.Subject) })
	case "to":
		return anyOf(s.Messages, func(m *Message) bool {
			return anyOf(m.To, func(r *Recipient) bool { return address(t.Value, r.Addr) })
		})
	case "code":
		return t.hasCode(s)
	}
	return false
}

// hasTLS compares with a version on either leg (1.2), or asks for passthrough.
func (t Term) hasTLS(s *Session) bool {
	is := func(h *session.TLS) bool {
		return h != nil && h.Version != "" && (glob(t.Value, h.Version) || glob(t.Value, strings.TrimPrefix(h.Version, "TLS ")))
	}
	return s.Passthrough && glob(t.Value, Passthrough) || is(s.App.TLS) || is(s.Upstream.TLS)
}

// hasCode compares with a reply code, an enhanced code or a class (5xx).
func (t Term) hasCode(s *Session) bool {
	want := strings.ReplaceAll(t.Value, "xx", "*")
	is := func(code int, enhanced string) bool {
		return code != 0 && glob(want, codeText(code, "")) || enhanced != "" && glob(want, enhanced)
	}
	if slices.ContainsFunc(s.Codes, t.IsCode) {
		return true
	}
	return anyOf(s.Messages, func(m *Message) bool {
		return is(m.Code, m.Enhanced) || anyOf(m.To, func(r *Recipient) bool { return is(r.Code, r.Enhanced) })
	})
}

// inText looks for free text in whatever a person may remember of a session.
func (t Term) inText(s *Session) bool {
	has := func(text ...string) bool {
		for _, v := range text {
			if v != "" && glob("*"+t.Value+"*", v) {
				return true
			}
		}
		return false
	}
	return has(s.ID, s.Route, s.App.Addr, s.App.Helo, s.Upstream.Name, s.Upstream.Addr, s.Upstream.Provider, string(s.Outcome)) ||
		s.Auth != nil && has(s.Auth.Username) || has(s.Codes...) ||
		anyOf(s.Messages, func(m *Message) bool {
			return has(m.From, m.Subject, m.MessageID, m.Text) || anyOf(m.To, func(r *Recipient) bool { return has(r.Addr, r.Text) })
		}) ||
		anyOf(s.Findings, func(f *Finding) bool {
			return has(f.Cause, f.Title) || anyOf(f.Evidence, func(e *Evidence) bool { return has(e.Text) })
		})
}

func anyOf[T any](list []T, holds func(*T) bool) bool {
	for i := range list {
		if holds(&list[i]) {
			return true
		}
	}
	return false
}

// address compares with a mail address. A pattern without @ and * may be
// either half of it.
func address(pattern, addr string) bool {
	if glob(pattern, addr) {
		return true
	}
	if strings.ContainsAny(pattern, "@*") {
		return false
	}
	i := strings.LastIndexByte(addr, '@')
	return i >= 0 && (glob(pattern, addr[:i]) || glob(pattern, addr[i+1:]))
}

// host compares with host:port; the pattern may leave the port out.
func host(pattern, addr string) bool {
	if glob(pattern, addr) {
		return true
	}
	name, _, err := net.SplitHostPort(addr)
	return err == nil && glob(pattern, name)
}
