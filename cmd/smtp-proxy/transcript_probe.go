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
		if p.Cached {
			text += ", as lately"
		}
		if e.TLS != nil && e.TLS.Version != "" {
			text += " in " + visible(e.TLS.Version)
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
	switch {
	case wouldFail(d):
		as, text = yellow, "would fail: "+text
	case d.Tested && text == "":
		text = "would connect"
	case d.Tested:
		text = "would connect: " + text
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

// wouldFail reports a prediction that somebody has to act on.
func wouldFail(d *inspect.Direct) bool { return d != nil && d.Tested && !d.WouldConnect }
