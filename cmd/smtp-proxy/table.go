package main

import (
	"io"
	"strings"
)

// table writes rows in aligned columns. The last column has no end; on a
// terminal it is cut at the edge.
type table struct {
	screen
	rows [][]cell
}

// cell is a text in a style.
type cell struct {
	text  string
	style style
}

func (t *table) add(row ...cell) { t.rows = append(t.rows, row) }

// write writes all rows.
func (t *table) write() error {
	widths := t.widths()
	var b strings.Builder
	for _, row := range t.rows {
		at := 0
		for i, c := range row {
			text := c.text
			if i == len(row)-1 && t.width-at >= leastWidth {
				text = clip(text, t.width-at)
			}
			b.WriteString(t.paint(c.style, text))
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-columns(text)+2))
				at += widths[i] + 2
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(t.out, b.String())
	return err
}

func (t *table) widths() []int {
	var widths []int
	for _, row := range t.rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], columns(c.text))
		}
	}
	return widths
}
