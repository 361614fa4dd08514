package main

import (
	"bytes"
	"io"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/upstream/probe"
)

// reporter shows checks: each line as it comes, then what it all means.
type reporter interface {
	begin(*examined)
	line(probe.Line)
	conclude(r *examined, last bool) error
	again(before, now *examined) error // a later round
}

// ladder shows checks to people: a rung a line with a mark, a word, the name
// of the step, the time it took and what was seen.
type ladder struct{ transcript }

// Columns of the ladder.
const (
	wordWidth = 4  // "FAIL"
	nameWidth = 11 // "certificate"
	rungText  = 3 + wordWidth + 2 + nameWidth + 1 + timingWidth + 2
)

func (l ladder) begin(r *examined) {
	title := l.paint(bold, visible(r.target.Name))
	if r.sandbox != nil {
		title += "  the embedded sandbox"
	}
	if r.assumed != "" {
		title += "  " + l.paint(dim, r.assumed)
	}
	io.WriteString(l.out, title+"\n")
}

// line writes one rung. What is left out stands behind the others, at the end.
func (l ladder) line(rung probe.Line) {
	if rung.Status == probe.StatusSkip {
		return
	}
	var b strings.Builder
	l.rung(&b, rung)
	io.WriteString(l.out, b.String())
}

func (l ladder) rung(b *strings.Builder, rung probe.Line) {
	mark, word, as := statusWords(rung.Status)
	timing := ""
	if rung.Took > 0 {
		timing = inspect.Took(rung.Took)
	}
	head := l.paint(as, mark+pad(word, wordWidth)) + "  " + pad(visible(rung.Step), nameWidth) + " " +
		l.paint(dim, padLeft(timing, timingWidth)) + "  "
	for _, piece := range wrap(visible(rung.Text), l.width-rungText) {
		b.WriteString(strings.TrimRight(head+l.paint(textStyle(rung.Status), piece), " ") + "\n")
		head = strings.Repeat(" ", rungText)
	}
}

// statusWords returns what stands for a status: never a colour alone.
func statusWords(s probe.Status) (mark, word string, as style) {
	switch s {
	case probe.StatusOK:
		return "   ", "ok", green
	case probe.StatusWarn:
		return "!  ", "warn", yellow
	case probe.StatusFail:
		return "** ", "FAIL", boldRed
	}
	return "-  ", string(s), dim
}

func textStyle(s probe.Status) style {
	if s == probe.StatusSkip {
		return dim
	}
	return plainStyle
}

// conclude writes what was left out, the findings and, as the last line, the
// verdict.
func (l ladder) conclude(r *examined, last bool) error {
	var b bytes.Buffer
	for _, s := range skippedOf(r.report.Lines) {
		l.skipped(&b, s)
	}
	if len(r.findings) > 0 {
		b.WriteByte('\n')
		l.findings(&b, r.shown(), "")
	}
	if r.fix != nil {
		l.fix(&b, r.fix)
	}
	b.WriteByte('\n')
	b.WriteString(l.judgement(r) + "\n")
	if !last {
		b.WriteByte('\n')
	}
	_, err := l.out.Write(b.Bytes())
	return err
}

func (l ladder) judgement(r *examined) string {
	as := bold
	if r.code() != 0 {
		as = boldRed
	}
	return l.paint(as, visible(r.verdict()))
}
