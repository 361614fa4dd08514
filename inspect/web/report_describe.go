package web

import (
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// describe says what happened where nobody spoke, and how long it took.
func describe(e *session.Entry) (string, time.Duration) {
	switch text := strings.ReplaceAll(e.Text, "\n", " "); {
	case e.Kind == session.KindProbe:
		return probed(e, text), 0
	case e.TLS != nil:
		return handshakeLine(e), e.TLS.Duration
	case e.Dial != nil:
		return dialled(e, text), e.Dial.Duration
	case e.Lookup != nil:
		return lookedUp(e), e.Lookup.Duration
	case e.Kind == session.KindClose && text == "":
		return withFault("the "+e.Leg.String()+" closed its leg", e.Fault), e.Wait
	case e.Kind == session.KindOpen && text == "":
		return withFault("the "+e.Leg.String()+"'s leg is open", e.Fault), e.Wait
	default:
		return withFault(text, e.Fault), e.Wait
	}
}

// withFault adds the platform's own words, unless the text has them.
func withFault(text string, f *session.Fault) string {
	switch {
	case f == nil || f.Text == "" || strings.Contains(text, f.Text):
		return text
	case text == "":
		return f.Text
	}
	return text + ": " + f.Text
}

func probed(e *session.Entry, text string) string {
	p := e.Probe
	if p == nil {
		return text
	}
	head := p.Name + " of " + p.Target + ": " + p.Result
	if p.Cached {
		head += " (asked lately)"
	}
	if text == "" {
		return head
	}
	return head + ". " + text
}

func dialled(e *session.Entry, text string) string {
	switch {
	case e.Fault != nil:
		return withFault("no connection to "+e.Dial.Addr, e.Fault)
	case e.Kind == session.KindOpen:
		return "connected to " + e.Dial.Addr
	}
	return text
}

func lookedUp(e *session.Entry) string {
	l := e.Lookup
	text := "looked up " + l.Type + " " + l.Name
	if l.Server != "" {
		text += " at " + l.Server
	}
	switch {
	case len(l.Answers) > 0:
		return text + ": " + strings.Join(l.Answers, ", ")
	case l.Rcode != "" && e.Fault == nil:
		return text + ": " + l.Rcode + ", no address"
	}
	return withFault(text, e.Fault)
}

func handshakeLine(e *session.Entry) string {
	h := e.TLS
	title, facts := "handshake with the "+e.Leg.String(), []string{}
	if h.Passthrough {
		title = "handshake between app and upstream, seen on its way"
	}
	if e.Fault != nil {
		title += " failed"
	}
	for _, f := range []string{h.Version, h.Cipher} {
		if f != "" {
			facts = append(facts, f)
		}
	}
	if h.Resumed {
		facts = append(facts, "resumed")
	}
	if h.ServerName != "" {
		facts = append(facts, "asked for "+h.ServerName)
	}
	switch {
	case h.Error != "":
		facts = append(facts, h.Error)
	case h.Verified:
		facts = append(facts, "verified")
	}
	if e.Fault != nil && e.Fault.Text != h.Error && e.Fault.Text != "" {
		facts = append(facts, e.Fault.Text)
	}
	if len(facts) == 0 {
		return title
	}
	return title + ": " + strings.Join(facts, ", ")
}

func carried(e *session.Entry) string {
	what := "message"
	if e.Verb == "BDAT" {
		what = "chunk"
	}
	text := what + " of " + inspect.Octets(e.Bytes) + ", not shown here"
	if e.Text != "" {
		text += "; " + strings.ReplaceAll(e.Text, "\n", " ")
	}
	return text
}

// credentials says what may be known of a sign-in.
func credentials(a *session.Auth) string {
	var facts []string
	if a.Username != "" {
		facts = append(facts, "user "+a.Username)
	}
	if a.Secret != nil {
		facts = append(facts, "secret of "+inspect.Count(a.Secret.Length, "octet"))
	}
	if a.Malformed != "" {
		facts = append(facts, a.Malformed)
	}
	if a.Cancelled {
		facts = append(facts, "cancelled")
	}
	return strings.Join(facts, ", ")
}

// details are the parts of what was asked of several.
func details(e *session.Entry) []string {
	var all []string
	if e.Probe != nil {
		for _, f := range e.Probe.Found {
			all = append(all, strings.TrimSuffix(f.What+": "+f.Result+", "+f.Text, ", "))
		}
	}
	return all
}

// kernel says what TCP and the clock knew when a leg ended or was silent.
func kernel(e *session.Entry) string {
	var facts []string
	if s := e.Silent; s != nil && (e.Fault != nil || e.Odd == session.OddTimeout) {
		facts = append(facts, "app silent for "+inspect.Took(s.App), "upstream for "+inspect.Took(s.Upstream))
	}
	if t := e.TCP; t != nil {
		if t.RTT > 0 {
			facts = append(facts, "round trip "+inspect.Took(t.RTT))
		}
		if t.Retransmits > 0 {
			facts = append(facts, inspect.Count(t.Retransmits, "segment")+" sent again")
		}
	}
	return strings.Join(facts, ", ")
}
