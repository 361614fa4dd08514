package web

import (
	"slices"
	"strconv"
	"strings"
)

// The size of a sparkline, in its own units.
const (
	sparkWidth  = 120.0
	sparkHeight = 24.0
)

// spark draws counts as the d of an SVG path: the outline of little columns,
// from the foot and back to it. It is empty when there is nothing to draw.
func spark(counts []int) string {
	if len(counts) == 0 || slices.Max(counts) <= 0 {
		return ""
	}
	width, unit := sparkWidth/float64(len(counts)), (sparkHeight-2)/float64(slices.Max(counts))
	var b strings.Builder
	b.WriteString("M0 " + svgNumber(sparkHeight))
	for i, n := range counts {
		y := sparkHeight
		if n > 0 {
			y -= max(1.5, unit*float64(n))
		}
		b.WriteString("V" + svgNumber(y) + "H" + svgNumber(width*float64(i+1)))
	}
	b.WriteString("V" + svgNumber(sparkHeight) + "Z")
	return b.String()
}

func svgNumber(f float64) string { return strconv.FormatFloat(f, 'f', -1, 32) }
