package main

import (
	"bytes"
	"slices"
	"strings"

	"smtp-proxy/upstream/probe"
)

// skipped is what was left out for one reason.
type skipped struct {
	steps  []string
	reason string
}

// skippedOf gathers what a check has left out by the reason, in the order of
// the ladder. One reason often stands for half of it: without a connection
// there is nothing to examine.
func skippedOf(lines []probe.Line) (list []skipped) {
	for _, l := range lines {
		if l.Status != probe.StatusSkip {
			continue
		}
		i := slices.IndexFunc(list, func(s skipped) bool { return s.reason == l.Text })
		if i < 0 {
			i, list = len(list), append(list, skipped{reason: l.Text})
		}
		if !slices.Contains(list[i].steps, l.Step) {
			list[i].steps = append(list[i].steps, l.Step)
		}
	}
	return list
}

// skipped writes what was left out for one reason: the names take the columns
// of name and time, as what was not done took none.
func (l ladder) skipped(b *bytes.Buffer, s skipped) {
	const width = nameWidth + 1 + timingWidth
	mark, word, as := statusWords(probe.StatusSkip)
	head := mark + pad(word, wordWidth) + "  "
	names, reason := fill(s.steps, width), wrap(visible(s.reason), l.width-rungText)
	for i := range max(len(names), len(reason)) {
		row := head + pad(at(names, i), width) + "  " + at(reason, i)
		b.WriteString(l.paint(as, strings.TrimRight(row, " ")) + "\n")
		head = strings.Repeat(" ", len(head))
	}
}

// fill lays names out in lines of at most width columns.
func fill(names []string, width int) (lines []string) {
	for _, name := range names {
		if last := len(lines) - 1; last >= 0 && columns(lines[last])+1+columns(name) <= width {
			lines[last] += " " + name
			continue
		}
		lines = append(lines, name)
	}
	return lines
}

// at is line i, empty behind the last.
func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}
