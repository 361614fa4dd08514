package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/upstream/replay"
)

// show prints one session that was played again.
func (x *replayer) show(s *played) error {
	for _, text := range s.noted {
		fmt.Fprintln(x.stderr, "smtp-proxy: "+visible(text))
	}
	if x.r.asJSON {
		return jsonLines(x.stdout).Encode(s.object())
	}
	v := comparison{transcript{screen: x.onStdout(), now: x.now}, hints{data: x.data}.dataFlag()}
	var b bytes.Buffer
	v.session(&b, s)
	_, err := x.stdout.Write(b.Bytes())
	return err
}

// comparison writes what was answered then beside what was answered now, in
// two columns where there is room, else one below the other. The mark in
// front of a command is = where both mean the same, ! where they do not, and +
// where the recording has no such command, as of the RSET of a dry run.
type comparison struct {
	transcript
	flags string // that find the same record, for the commands to run next
}

// Columns of a comparison.
const (
	markWidth    = 2
	leastColumn  = 34 // of one side, with its timing
	columnGap    = 2
	comparedTime = timingWidth + 1
)

func (v comparison) session(b *bytes.Buffer, s *played) {
	v.header(b, s)
	v.steps(b, s.result.Steps)
	v.notSent(b, s.result.NotSent)
	v.conclusion(b, s)
}

func (v comparison) header(b *bytes.Buffer, s *played) {
	fmt.Fprintf(b, "%s of %s, recorded %s to %s\n", v.paint(bold, "replay"), v.paint(cyan, visible(s.recorded.ID)),
		v.clock(s.recorded.Started), visible(s.recorded.Upstream.Name))
	to := "sent to " + s.target
	if s.now != nil && s.now.Upstream.Addr != "" && s.now.Upstream.Addr != s.target {
		to += " (" + s.now.Upstream.Addr + ")"
	}
	fmt.Fprintf(b, "%s; %s\n\n", visible(to), deliveryText(s.options))
}

// deliveryText says what becomes of messages.
func deliveryText(o replay.Options) string {
	switch {
	case len(o.To) > 0:
		return "messages go to " + visible(strings.Join(o.To, ", "))
	case o.Deliver:
		return "messages go to their recorded recipients"
	}
	return "a dry run: no message is sent"
}

// columnWidth is that of one side; 0 where the two stand below each other.
func (v comparison) columnWidth() int {
	width := (v.width - markWidth - columnGap) / 2
	if width < leastColumn {
		return 0
	}
	return width
}

func (v comparison) steps(b *bytes.Buffer, steps []replay.Step) {
	width := v.columnWidth()
	if width > 0 && len(steps) > 0 {
		v.pair(b, width, []string{"recorded"}, []string{"now"}, dim)
	}
	for len(steps) > 0 {
		step := steps[0]
		mark, as := markOf(step)
		b.WriteString(v.paint(as, mark) + v.paint(bold, visible(commandName(step.Command))) + "\n")
		if width > 0 {
			v.beside(b, width, step)
		} else {
			v.below(b, step)
		}
		steps = steps[v.more(b, steps):]
	}
}

// more writes that as many steps went as the one before them, if that is
// shorter, and returns how many.
func (v comparison) more(b *bytes.Buffer, steps []replay.Step) int {
	n := alike(steps)
	if n < leastAlike {
		return 1
	}
	fmt.Fprintf(b, "%s%d more %s, answered alike\n", v.paint(green, "= "), n-1, visible(commandVerb(steps[0].Command)))
	return n
}

// leastAlike is how many commands in a row that were answered alike are put
// together: a message may have thousands of recipients.
const leastAlike = 10

// alike counts the steps at the beginning that tell nothing beyond the first.
func alike(steps []replay.Step) int {
	first := steps[0]
	other := func(s replay.Step) bool {
		return !s.Same || s.Own || commandVerb(s.Command) != commandVerb(first.Command) || codeWord(s.Recorded) != codeWord(first.Recorded)
	}
	if n := slices.IndexFunc(steps, other); n >= 0 {
		return n
	}
	return len(steps)
}

// codeWord is the code that a reply begins with.
func codeWord(reply string) string { return reply[:min(3, len(reply))] }

func markOf(step replay.Step) (string, style) {
	switch {
	case step.Own:
		return "+ ", dim
	case step.Same:
		return "= ", green
	}
	return "! ", boldRed
}

// beside writes the two replies in columns.
func (v comparison) beside(b *bytes.Buffer, width int, step replay.Step) {
	left, right := v.reply(step.Recorded, waited(step.RecordedWait), width), v.reply(step.Now, waited(step.Wait), width)
	if step.Own {
		left = nil
	}
	v.pair(b, width, left, right, plainStyle)
	v.why(b, step)
}

// reply words one side of a step in lines of a width.
func (v comparison) reply(text, waited string, width int) (lines []string) {
	if text == "" {
		return []string{pad("", comparedTime) + "(no reply)"}
	}
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			waited = ""
		}
		for _, piece := range chop(visible(line), width-comparedTime) {
			lines = append(lines, padLeft(waited, timingWidth)+" "+piece)
			waited = ""
		}
	}
	return lines
}

// waited is how long a reply took; empty where that is not known, as of those
// that the proxy makes itself.
func waited(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return inspect.Took(d)
}

// chop is wrap, but breaks words that are longer than a line, which would run
// into the other column.
func chop(text string, width int) (lines []string) {
	for _, line := range wrap(text, width) {
		for columns(line) > width {
			n := fitting(line, width)
			lines = append(lines, line[:n])
			line = line[n:]
		}
		lines = append(lines, line)
	}
	return lines
}

// fitting is how many octets of text take at most width columns, and at least
// one character's.
func fitting(text string, width int) int {
	used := 0
	for i, r := range text {
		used += columns(string(r))
		if used > width && i > 0 {
			return i
		}
	}
	return len(text)
}

// pair writes lines beside each other.
func (v comparison) pair(b *bytes.Buffer, width int, left, right []string, as style) {
	for i := range max(len(left), len(right)) {
		l, r := "", ""
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		line := strings.Repeat(" ", markWidth) + pad(l, width) + strings.Repeat(" ", columnGap) + r
		b.WriteString(v.paint(as, strings.TrimRight(line, " ")) + "\n")
	}
}

// below writes the two replies one below the other; words that are the same
// are written once.
func (v comparison) below(b *bytes.Buffer, step replay.Step) {
	switch {
	case step.Own:
		v.side(b, "now", step.Now, waited(step.Wait))
	case step.Recorded == step.Now && step.RecordedWait > 0:
		v.side(b, "both", step.Recorded, inspect.Took(step.RecordedWait)+", now "+inspect.Took(step.Wait))
	case step.Recorded == step.Now && step.Same: // made by the proxy: it took no time then
		v.side(b, "both", step.Recorded, "")
	default:
		v.side(b, "recorded", step.Recorded, waited(step.RecordedWait))
		v.side(b, "now", step.Now, waited(step.Wait))
	}
	v.why(b, step)
}

func (v comparison) side(b *bytes.Buffer, name, text, waited string) {
	if text == "" {
		text, waited = "(no reply)", ""
	}
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			name, waited = "", ""
		}
		line = "  " + v.paint(dim, pad(name, len("recorded"))) + "  " + visible(line) + "  " + v.paint(dim, waited)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

func (v comparison) why(b *bytes.Buffer, step replay.Step) {
	if step.Same || step.Why == "" {
		return
	}
	b.WriteString("  " + v.paint(yellow, "differs: "+visible(oneLine(step.Why))) + "\n")
}

func (v comparison) notSent(b *bytes.Buffer, list []string) {
	if len(list) == 0 {
		return
	}
	b.WriteString("\nnot sent:\n")
	for _, text := range list {
		for i, piece := range wrap(visible(oneLine(text)), v.width-4) {
			b.WriteString([]string{"  - ", "    "}[min(i, 1)] + piece + "\n")
		}
	}
}
