package main

import (
	"bytes"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/upstream/probe"
)

// change is a rung that means something else than in the round before.
type change struct {
	was []probe.Line // of the same step, those that are no more
	now probe.Line
}

// changedRungs lists those that mean something else in now than the last time
// that their step was taken. What was left out or not reached this time is no
// change: the rung that failed in front of it is.
func changedRungs(before, now *examined) (list []change) {
	old := before.standing()
	for step, lines := range byStepInOrder(taken(now.report.Lines)) {
		fresh, gone := difference(lines, old[step]), difference(old[step], lines)
		for _, l := range fresh {
			list = append(list, change{was: gone, now: l})
			gone = nil
		}
	}
	return list
}

// standing is what each step said when it was last taken, in this round or an
// earlier one. Behind an outage that is what to compare with.
func (r *examined) standing() map[string][]probe.Line {
	steps := byStep(taken(r.report.Lines))
	for step, lines := range r.earlier {
		if steps[step] == nil {
			steps[step] = lines
		}
	}
	return steps
}

func taken(lines []probe.Line) []probe.Line {
	return slices.DeleteFunc(slices.Clone(lines), func(l probe.Line) bool { return l.Status == probe.StatusSkip })
}

func byStep(lines []probe.Line) map[string][]probe.Line {
	steps := map[string][]probe.Line{}
	for _, l := range lines {
		steps[l.Step] = append(steps[l.Step], l)
	}
	return steps
}

// byStepInOrder yields each step with its lines, in the order of the ladder.
func byStepInOrder(lines []probe.Line) func(yield func(string, []probe.Line) bool) {
	return func(yield func(string, []probe.Line) bool) {
		steps := byStep(lines)
		for _, l := range lines {
			if of := steps[l.Step]; of != nil && !yield(l.Step, of) {
				return
			}
			delete(steps, l.Step)
		}
	}
}

// difference returns the lines whose meaning none of others has.
func difference(lines, others []probe.Line) (list []probe.Line) {
	for _, l := range lines {
		if !slices.ContainsFunc(others, func(o probe.Line) bool { return meaning(o) == meaning(l) }) {
			list = append(list, l)
		}
	}
	return list
}

// meaning is what a rung says, less what differs each time: lengths of time,
// the time of day, ids, and the order of a list, which DNS turns round.
func meaning(l probe.Line) string {
	if l.Status == probe.StatusOK && fleeting(l.Step) {
		return string(l.Status)
	}
	words := strings.Fields(passing().ReplaceAllString(l.Text, " "))
	for i, w := range words {
		words[i] = strings.Trim(w, ",;:.()")
	}
	if l.Status != probe.StatusOK { // a refusal; names of suites look like ids, too
		words = slices.DeleteFunc(words, isID)
	}
	slices.Sort(words)
	return string(l.Status) + " " + strings.Join(words, " ")
}

// fleeting tells the steps that quote what the smarthost words anew each time,
// or measure: while they are well, only that matters.
func fleeting(step string) bool {
	return slices.Contains([]string{"tcp", "connect", "greeting", "mail", "rcpt", "delivery", "clock", "resolvers", "path-mtu"}, step)
}

// passing finds what passes: lengths of time, times of day, days left.
func passing() *regexp.Regexp {
	return regexp.MustCompile(`(less than )?\b\d+(\.\d+)?\s?(ns|µs|us|ms|s|m|h|seconds?|minutes?|hours?|days?)\b|\b\d\d:\d\d(:\d\d)?(\.\d+)?\b`)
}

// isID tells the ids that a smarthost gives: long, of letters and digits, and
// no address.
func isID(word string) bool {
	if _, err := netip.ParseAddr(word); err == nil || len(word) < 10 || strings.Contains(word, ".") {
		return false
	}
	return strings.ContainsAny(word, "0123456789") && strings.ContainsFunc(word, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' })
}

// without returns the findings of list that others lacks.
func without(list, others []inspect.Finding) (rest []inspect.Finding) {
	for _, f := range list {
		if !slices.ContainsFunc(others, func(o inspect.Finding) bool { return o.Cause == f.Cause && o.Title == f.Title }) {
			rest = append(rest, f)
		}
	}
	return rest
}

// again writes what has changed since the round before; nothing when nothing
// has.
func (l ladder) again(before, now *examined) error {
	list := changedRungs(before, now)
	found, gone := without(now.shown(), before.findings), without(before.shown(), now.findings)
	if len(list)+len(found)+len(gone) == 0 {
		return nil
	}
	var b bytes.Buffer
	b.WriteString("\n" + l.paint(bold, l.clock(now.at)+"  "+visible(now.target.Name)) + "\n")
	for _, c := range list {
		l.changed(&b, c)
	}
	for _, f := range gone {
		b.WriteString(l.paint(green, "  gone  ") + visible(f.Cause+"  "+f.Title) + "\n")
	}
	if len(found) > 0 {
		b.WriteByte('\n')
		l.findings(&b, found, "")
		b.WriteByte('\n')
	}
	b.WriteString(l.judgement(now) + "\n")
	_, err := l.out.Write(b.Bytes())
	return err
}

func (l ladder) changed(b *bytes.Buffer, c change) {
	var rung strings.Builder
	l.rung(&rung, c.now)
	b.WriteString(rung.String())
	for _, was := range c.was {
		for _, piece := range wrap("was "+string(was.Status)+": "+visible(was.Text), l.width-rungText) {
			b.WriteString(strings.Repeat(" ", rungText) + l.paint(dim, piece) + "\n")
		}
	}
}

// again writes a whole object when something has changed since the round
// before.
func (j jsonReport) again(before, now *examined) error {
	if len(changedRungs(before, now))+len(without(now.findings, before.findings))+len(without(before.findings, now.findings)) == 0 {
		return nil
	}
	return j.conclude(now, false)
}

// quiet is the ladder's silence in a round whose changes alone are shown.
func quiet(probe.Line) {}
