package main

import (
	"bytes"
	"fmt"
	"strings"

	"smtp-proxy/inspect"
)

// findings writes diagnoses below the line that shows them; shown is the text
// of that line, which is not repeated as evidence.
func (t transcript) findings(b *bytes.Buffer, all []inspect.Finding, shown string) {
	for i, f := range all {
		if i > 0 {
			t.bar(b, "", 0, "", plainStyle)
		}
		t.finding(b, f, shown)
	}
}

func (t transcript) finding(b *bytes.Buffer, f inspect.Finding, shown string) {
	title := visible(f.Title)
	if f.Certainty != "" {
		title += "  (" + string(f.Certainty) + ")"
	}
	t.bar(b, t.paint(boldRed, visible(f.Cause))+"  ", columns(visible(f.Cause))+2, title, bold)
	t.part(b, "why", plainStyle, f.Explanation)
	t.part(b, "proof", plainStyle, evidence(f, shown)...)
	t.part(b, "not", dim, f.RuledOut...)
	t.part(b, "fix", plainStyle, numbered(f.Fix)...)
	t.part(b, "retry", plainStyle, retry(f.Retry))
	t.part(b, "new", plainStyle, changes(f)...)
	t.part(b, "often", dim, t.recurrence(f.Recurrence))
	t.part(b, "see", dim, f.Refs...)
}

// labelWidth is the width of "proof" and "retry" with their blanks.
const labelWidth = 7

// part writes the texts that go under one label.
func (t transcript) part(b *bytes.Buffer, label string, as style, texts ...string) {
	for _, text := range texts {
		if text == "" {
			continue
		}
		for _, paragraph := range strings.Split(text, "\n") {
			t.bar(b, t.paint(dim, pad(label, labelWidth)), labelWidth, visible(paragraph), as)
			label = ""
		}
	}
}

// bar writes one text behind the bar that ties a finding together. head, of
// width columns, stands before its first line only.
func (t transcript) bar(b *bytes.Buffer, head string, width int, text string, as style) {
	margin := strings.Repeat(" ", textColumn-3) + t.paint(boldRed, "|") + "  "
	for _, piece := range wrap(text, t.width-textColumn-width) {
		b.WriteString(strings.TrimRight(margin+head+t.paint(as, piece), " ") + "\n")
		head = strings.Repeat(" ", width)
	}
}

// evidence lists what shows a finding beyond the line it stands under. What
// is long in letters is longer yet with its control characters written out;
// the dialogue has it whole.
func evidence(f inspect.Finding, shown string) []string {
	var texts []string
	for _, e := range f.Evidence {
		text := strings.ReplaceAll(e.Text, "\n", " ")
		if text == "" || strings.Contains(strings.ReplaceAll(shown, "\n", " "), strings.TrimSuffix(text, "…")) {
			continue
		}
		text = clip(visible(text), mostText)
		if e.Event > 0 {
			text += fmt.Sprintf("  (line %d)", e.Event)
		}
		texts = append(texts, text)
	}
	return texts
}

func numbered(steps []string) []string {
	if len(steps) == 1 {
		return steps
	}
	texts := make([]string, len(steps))
	for i, s := range steps {
		texts[i] = fmt.Sprintf("%d. %s", i+1, s)
	}
	return texts
}

// retry says whether and when to send again.
func retry(r inspect.Retry) string {
	text := r.Advice
	if r.Text != "" {
		text += ": " + r.Text
	} else if r.AfterS > 0 {
		text += ": in " + inspect.Seconds(r.AfterS)
	}
	return text
}

// changes lists what is new since the last session that worked, less what the
// explanation says already.
func changes(f inspect.Finding) []string {
	var texts []string
	for _, c := range f.Changed {
		if !strings.Contains(f.Explanation, c) {
			texts = append(texts, c)
		}
	}
	return texts
}

// recurrence says how often the cause was seen. The session at hand counts, so
// one of one says nothing.
func (t transcript) recurrence(r *inspect.Recurrence) string {
	if r == nil || r.Of < 2 {
		return ""
	}
	text := fmt.Sprintf("seen in %d of the last %s to this upstream", r.Seen, inspect.Count(r.Of, "session"))
	if !r.Since.IsZero() {
		text += " since " + r.Since.In(t.zone).Format("2006-01-02 15:04")
	}
	return text
}
