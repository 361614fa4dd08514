package main

import (
	"bytes"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// describeProbe says what the proxy asked of its own accord, and the answer.
func describeProbe(e *session.Entry) string {
	text := "probe"
	if p := e.Probe; p != nil {
		text += " " + visible(p.Name) + " of " + visible(p.Target)
		if e.TLS != nil && e.TLS.Version != "" {
			text += " in " + visible(e.TLS.Version)
		}
		if p.Cached {
			text += " (asked lately)"
		}
	}
	return text + ": " + visible(strings.ReplaceAll(e.Text, "\n", " "))
}

// direct writes whether the app would get through without the proxy. A folded
// transcript says it where it would not.
func (t transcript) direct(b *bytes.Buffer, d *inspect.Direct) {
	if d == nil || !t.full && !wouldFail(d) {
		return
	}
	as, text := dim, visible(strings.ReplaceAll(d.Text, "\n", " "))
	text = strings.TrimPrefix(text, "without the proxy ") // which the label says
	if wouldFail(d) {
		as = yellow
	}
	if d.Tested {
		text = predicted(d, text)
	}
	const label = "  without the proxy: "
	for i, piece := range wrap(text, t.width-len(label)) {
		if i == 0 {
			b.WriteString(label + t.paint(as, piece) + "\n")
			continue
		}
		b.WriteString(strings.Repeat(" ", len(label)) + t.paint(as, piece) + "\n")
	}
}

// predicted begins a prediction with its verdict, unless its text does.
func predicted(d *inspect.Direct, text string) string {
	verdict := "would connect"
	if wouldFail(d) {
		verdict = "would fail"
	}
	switch {
	case text == "":
		return verdict
	case strings.HasPrefix(text, "the app would "):
		return text
	}
	return verdict + ": " + text
}

// wouldFail reports a prediction that somebody has to act on.
func wouldFail(d *inspect.Direct) bool { return d != nil && d.Tested && !d.WouldConnect }
