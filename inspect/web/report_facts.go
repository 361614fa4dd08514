package web

import (
	"strconv"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// group is some facts under one heading.
type group struct {
	Name  string
	Facts []fact
	Wide  bool
}

// fact is one thing known. What the wire said is set apart by its letters.
type fact struct {
	Name, Text string
	Wire       bool
}

func factsOf(s *inspect.Session, zone *time.Location) []group {
	all := []group{aboutSession(s, zone), aboutApp(s), aboutUpstream(s)}
	if s.Auth != nil {
		all = append(all, aboutAuth(s.Auth))
	}
	if len(s.Edits) > 0 {
		g := group{Name: "Edits by the proxy", Wide: true}
		for i, e := range s.Edits {
			g.Facts = append(g.Facts, fact{Name: strconv.Itoa(i + 1), Text: e})
		}
		all = append(all, g)
	}
	return all
}

// add leaves out what is not known.
func (g *group) add(name, text string, wire bool) {
	if text != "" {
		g.Facts = append(g.Facts, fact{name, text, wire})
	}
}

func aboutSession(s *inspect.Session, zone *time.Location) group {
	g := group{Name: "Session"}
	g.add("Id", s.ID, true)
	g.add("Began", stamp(s.Started, zone), false)
	if s.Ended.IsZero() {
		g.add("Ended", "still open when this was written", false)
	} else {
		g.add("Ended", stamp(s.Ended, zone), false)
		g.add("Took", inspect.Took(s.Ended.Sub(s.Started)), false)
	}
	g.add("Got as far as", reached(s.Phase), false)
	g.add("Refusals", strings.Join(s.Codes, ", "), true)
	g.add("Route", s.Route, true)
	g.add("Repeats", s.Linked, true)
	if s.Direct != nil {
		g.add("Without the proxy", direct(s.Direct), false)
	}
	if len(s.Edits) == 0 {
		g.add("Edits", "none: each side got what the other sent", false)
	}
	return g
}

func direct(d *inspect.Direct) string {
	switch {
	case !d.Tested:
		return d.Text
	case d.WouldConnect:
		return join("the app would connect", d.Text)
	}
	return join("the app would fail", d.Text)
}

// join puts a text behind its verdict, unless it has it itself.
func join(verdict, text string) string {
	switch {
	case text == "":
		return verdict
	case strings.HasPrefix(text, "the app would "):
		return text
	}
	return verdict + ": " + strings.TrimPrefix(text, "without the proxy ")
}

func aboutApp(s *inspect.Session) group {
	g := group{Name: "App"}
	g.add("Address", s.App.Addr, true)
	g.add("Name in EHLO", s.App.Helo, true)
	g.add("TLS", inBrief(s, s.App), false)
	return g
}

func inBrief(s *inspect.Session, l inspect.AppLeg) string {
	switch {
	case through(s) != nil:
		return "end to end with the upstream"
	case l.TLS == nil:
		return "none: in clear"
	}
	return tlsBrief(l.TLS)
}

// through is the handshake that app and upstream made with each other, or nil.
// It is told of for each leg; which of them ended it stands with its own.
func through(s *inspect.Session) *session.TLS {
	h := s.Upstream.TLS
	if h == nil || s.App.TLS != nil && s.App.TLS.Error != "" {
		h = s.App.TLS
	}
	if h == nil || !s.Passthrough && !h.Passthrough {
		return nil
	}
	return h
}

func aboutUpstream(s *inspect.Session) group {
	g := group{Name: "Upstream"}
	g.add("As configured", s.Upstream.Name, true)
	g.add("Answered", s.Upstream.Addr, true)
	if s.Upstream.Addr == "" {
		g.add("Answered", "no address did", false)
	}
	g.add("Provider", s.Upstream.Provider, false)
	g.add("TLS", upstreamBrief(s), false)
	return g
}

// upstreamBrief is what is known of TLS with an upstream that may never have
// been reached.
func upstreamBrief(s *inspect.Session) string {
	switch {
	case s.Upstream.TLS != nil:
		return tlsBrief(s.Upstream.TLS)
	case s.Upstream.Addr == "":
		return "none: it was not reached"
	}
	return "none: in clear"
}

func aboutAuth(a *inspect.Auth) group {
	g := group{Name: "Sign-in"}
	g.add("Mechanism", a.Mechanism, true)
	g.add("User", a.Username, true)
	g.add("Acting for", a.Authzid, true)
	if a.Secret != nil {
		g.add("Secret", inspect.Count(a.Secret.Length, "octet")+", "+a.Secret.Alphabet+"; its words are not recorded", false)
	}
	g.add("Malformed", a.Malformed, false)
	verdict := "refused, or never answered"
	if a.Accepted {
		verdict = "accepted"
	}
	g.add("Verdict", verdict, false)
	return g
}

// summary says in one sentence what became of the mail.
func summary(s *inspect.Session) string {
	text := mail(s)
	if !s.Ended.IsZero() {
		text += " " + inspect.Took(s.Ended.Sub(s.Started)) + " from beginning to end."
	}
	return text
}

func mail(s *inspect.Session) string {
	n := len(s.Messages) + s.Omitted
	if h := through(s); n == 0 && h != nil && h.Error == "" {
		return "What app and upstream said under TLS was not read: messages may have passed."
	}
	if n == 0 {
		return "No message was begun."
	}
	accepted, all, size := 0, 0, int64(0)
	for i := range s.Messages {
		m := &s.Messages[i]
		size += m.Size
		all += len(m.To) + m.Omitted
		if m.Code/100 == 2 {
			accepted += len(m.To) + m.Omitted - refused(m)
		}
	}
	if all == 0 {
		return inspect.Count(n, "message") + " begun, and no recipient named."
	}
	text := inspect.Count(n, "message") + ", accepted for " + strconv.Itoa(accepted) + " of " + inspect.Count(all, "recipient")
	if size > 0 {
		text += ", " + inspect.Octets(size)
	}
	return text + "."
}

// refused counts the recipients that the upstream did not take.
func refused(m *inspect.Message) int {
	n := 0
	for _, r := range m.To {
		if r.Code/100 != 2 {
			n++
		}
	}
	return max(n, m.Refused)
}
