package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// line is one line of a dialogue before it is laid out.
type line struct {
	star  bool // a finding points here
	own   bool // the proxy's own dialogue
	took  string
	mark  string
	text  string
	aside string // a remark of ours behind the text
	style style
}

// line lays one line out: wrapped to the screen, what follows the first line
// under its text.
func (t transcript) line(b *bytes.Buffer, l line) {
	indent := 0
	if l.own {
		indent = ownIndent
	}
	text := l.text
	if l.aside != "" {
		text += "  (" + l.aside + ")"
	}
	for i, piece := range wrap(text, t.width-textColumn-indent) {
		gutter, timing, mark := "  ", "", "  "
		if i == 0 {
			timing, mark = l.took, l.mark
			if l.star {
				gutter = "**"
			}
		}
		row := t.paint(boldRed, gutter) + t.paint(dim, padLeft(timing, timingWidth)) + "  " +
			strings.Repeat(" ", indent) + t.paint(l.style, mark+" "+piece)
		b.WriteString(strings.TrimRight(row, " ") + "\n")
	}
}

// entry writes one entry. answers is the command that a reply belongs to,
// where the order does not show it.
func (t transcript) entry(b *bytes.Buffer, e *session.Entry, star bool, answers string) {
	switch e.Kind {
	case session.KindReply, session.KindGreeting:
		t.reply(b, e, star, answers)
	case session.KindCommand, session.KindAuth:
		t.spoken(b, e, star)
	case session.KindData:
		t.line(b, line{star: star, own: e.Own, mark: mark(e), text: body(e), style: dim})
	default:
		t.event(b, e, star)
	}
}

// mark returns swaks's mark for who spoke to whom, and whether under TLS.
func mark(e *session.Entry) string {
	right := e.From == session.FromApp || e.From == session.FromProxy && e.Leg == session.Upstream
	switch {
	case right && e.Secure:
		return "~>"
	case right:
		return "->"
	case e.Secure:
		return "<~"
	}
	return "<-"
}

// spoken writes a command or a line of an AUTH exchange.
func (t transcript) spoken(b *bytes.Buffer, e *session.Entry, star bool) {
	l := line{star: star, own: e.Own, mark: mark(e), text: t.clipped(visible(e.Text))}
	if e.Auth != nil && e.From == session.FromApp {
		l.aside = credentials(e.Auth)
	}
	if e.Wait > 0 {
		l.took = inspect.Took(e.Wait)
	}
	t.line(b, l)
}

// credentials says what may be known of a sign-in.
func credentials(a *session.Auth) string {
	var facts []string
	if a.Username != "" {
		facts = append(facts, "user "+visible(a.Username))
	}
	if a.Secret != nil {
		facts = append(facts, "secret of "+inspect.Count(a.Secret.Length, "octet"))
	}
	if a.Malformed != "" {
		facts = append(facts, visible(a.Malformed))
	}
	if a.Cancelled {
		facts = append(facts, "cancelled")
	}
	return strings.Join(facts, ", ")
}

// body describes a message or a chunk of one that was passed on.
func body(e *session.Entry) string {
	what := "message"
	if e.Verb == "BDAT" {
		what = "chunk"
	}
	return fmt.Sprintf("(%s, %s)", what, inspect.Octets(e.Bytes))
}

// reply writes the lines of a reply, each with its mark.
func (t transcript) reply(b *bytes.Buffer, e *session.Entry, star bool, answers string) {
	lines := strings.Split(e.Text, "\n")
	if !t.full {
		lines = shorten(e, lines)
	}
	for i, text := range lines {
		l := line{star: star, own: e.Own, mark: mark(e), text: t.clipped(visible(text)), style: replyStyle(e.Code)}
		if i == 0 && e.From == session.FromUpstream {
			l.took = inspect.Took(e.Wait)
		}
		if i == len(lines)-1 {
			l.aside = aside(e, answers)
		}
		t.line(b, l)
		star = false
	}
}

// aside is what a reply's own words do not say.
func aside(e *session.Entry, answers string) string {
	var remarks []string
	if answers != "" {
		remarks = append(remarks, "to "+clip(visible(answers), 60))
	}
	if e.From == session.FromProxy {
		remarks = append(remarks, "from the proxy")
	}
	return strings.Join(remarks, ", ")
}

// mostLines is how many lines of a reply are shown before it is folded.
const mostLines = 8

// shorten folds a long reply: the keywords of an EHLO reply into one line, of
// any other its end.
func shorten(e *session.Entry, lines []string) []string {
	if len(lines) > 1 && e.Code == 250 && e.Verb == "EHLO" {
		words := make([]string, 0, len(lines)-1)
		for _, l := range lines[1:] {
			words = append(words, l[min(4, len(l)):])
		}
		return []string{lines[0][:min(3, len(lines[0]))] + " " + lines[0][min(4, len(lines[0])):] + " [" + strings.Join(words, ", ") + "]"}
	}
	if len(lines) > mostLines+1 {
		return append(lines[:mostLines:mostLines], fmt.Sprintf("… and %d lines more", len(lines)-mostLines))
	}
	return lines
}

func replyStyle(code int) style {
	switch code / 100 {
	case 4:
		return yellow
	case 5:
		return red
	}
	return plainStyle
}

// mostText is how much of one line is shown of a folded transcript.
const mostText = 600

func (t transcript) clipped(text string) string {
	if t.full {
		return text
	}
	return clip(text, mostText)
}

// event writes an entry that nobody said: connections, handshakes, errors,
// closes, probes, notes.
func (t transcript) event(b *bytes.Buffer, e *session.Entry, star bool) {
	text, lasted := describe(e, t.zone)
	if text == "" || !t.full && !star && routine(e) {
		return
	}
	l := line{star: star, own: e.Own, mark: "==", text: t.clipped(text), style: dim}
	if lasted > 0 {
		l.took = inspect.Took(lasted)
	}
	if e.Kind == session.KindError || star {
		l.style = red
	}
	if !routineEnd(e) || t.full {
		l.aside = evidenceOf(e)
	}
	t.line(b, l)
	t.tlsDetails(b, e)
}

// routineEnd reports an end or a silence that needs no evidence.
func routineEnd(e *session.Entry) bool {
	return e.Fault == nil && e.Odd != session.OddTimeout
}

// routine tells the events of a session in which nothing went wrong, which a
// folded transcript leaves out.
func routine(e *session.Entry) bool {
	switch e.Kind {
	case session.KindOpen:
		return e.Leg == session.App
	case session.KindClose:
		return e.Fault == nil
	case session.KindNote:
		return e.Lookup != nil
	case session.KindProbe:
		return e.Probe != nil && e.Probe.Result != "fail"
	}
	return false
}

// describe says what happened, and how long it took where that is known.
func describe(e *session.Entry, zone *time.Location) (string, time.Duration) {
	switch {
	case e.Kind == session.KindProbe:
		return describeProbe(e), 0
	case e.TLS != nil:
		return describeTLS(e, zone), e.TLS.Duration
	case e.Dial != nil:
		return describeDial(e), e.Dial.Duration
	case e.Lookup != nil:
		return describeLookup(e), e.Lookup.Duration
	}
	text := visible(strings.ReplaceAll(e.Text, "\n", " "))
	switch {
	case e.Kind == session.KindClose && text == "":
		text = "the " + e.Leg.String() + " closed its leg"
	case e.Kind == session.KindOpen && text == "":
		text = "the " + e.Leg.String() + " leg is open"
	case e.Edit:
		text = "edit: " + text
	}
	return withFault(text, e.Fault), e.Wait
}

// withFault adds the platform's own words, unless the text has them.
func withFault(text string, f *session.Fault) string {
	if f == nil || f.Text == "" || strings.Contains(text, visible(f.Text)) {
		return text
	}
	if text == "" {
		return visible(f.Text)
	}
	return text + ": " + visible(f.Text)
}

func describeDial(e *session.Entry) string {
	if e.Fault != nil {
		return withFault("no connection to "+e.Dial.Addr, e.Fault)
	}
	if e.Kind == session.KindOpen {
		return "connected to " + e.Dial.Addr
	}
	return visible(e.Text)
}

func describeLookup(e *session.Entry) string {
	l := e.Lookup
	text := fmt.Sprintf("looked up %s %s", l.Type, visible(l.Name))
	if l.Server != "" {
		text += " at " + l.Server
	}
	if len(l.Answers) > 0 {
		return text + ": " + visible(strings.Join(l.Answers, ", "))
	}
	if l.Rcode != "" && e.Fault == nil {
		return text + ": " + l.Rcode + ", no address"
	}
	return withFault(text, e.Fault)
}
