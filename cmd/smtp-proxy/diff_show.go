package main

import (
	"bytes"
	"fmt"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/upstream/replay"
)

// show writes the differences for a person: in two columns where there is
// room, else one below the other.
func (d comparedSessions) show(v comparison) error {
	var b bytes.Buffer
	for i, mark := range []string{"< ", "> "} {
		b.WriteString(mark + v.sessionLine(d.sides[i]) + "\n")
	}
	b.WriteByte('\n')
	for _, one := range d.found {
		v.difference(&b, one)
	}
	switch n := len(d.found); n {
	case 0:
		b.WriteString("no difference in meaning\n")
	default:
		fmt.Fprintf(&b, "\n%s\n", counted(n, "difference", "differences"))
	}
	_, err := v.out.Write(b.Bytes())
	return err
}

// sessionLine says which session it is.
func (v comparison) sessionLine(s *inspect.Session) string {
	return strings.Join([]string{v.paint(cyan, visible(s.ID)), v.clock(s.Started), visible(s.Upstream.Name), string(s.Outcome)}, "  ")
}

func (v comparison) difference(b *bytes.Buffer, d replay.Difference) {
	mark := "! "
	switch {
	case d.A == "":
		mark = "> "
	case d.B == "":
		mark = "< "
	}
	why := ": " + d.Why
	if d.Why == "not the same" {
		why = ""
	}
	b.WriteString(v.paint(boldRed, mark) + v.paint(bold, visible(d.Where)) + visible(why) + "\n")
	if width := v.columnWidth(); width > 0 {
		v.pair(b, width, chop(visible(orNothing(d.A)), width), chop(visible(orNothing(d.B)), width), plainStyle)
		return
	}
	for i, text := range []string{d.A, d.B} {
		if text != "" {
			fmt.Fprintf(b, "    %c %s\n", "<>"[i], visible(text))
		}
	}
}

func orNothing(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
