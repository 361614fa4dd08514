package web

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// The size of a sparkline, in its own units.
const (
	sparkWidth  = 120.0
	sparkHeight = 24.0
)

// sparkLeast is what the highest column stands for at least: one session is no
// peak.
const sparkLeast = 4

// spark draws counts as the d of an SVG path: the outline of little columns,
// from the foot and back to it. It is empty when there is nothing to draw.
func spark(counts []int) string {
	if len(counts) == 0 || slices.Max(counts) <= 0 {
		return ""
	}
	width, unit := sparkWidth/float64(len(counts)), (sparkHeight-1)/float64(max(slices.Max(counts), sparkLeast))
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

// svgNumber writes a length to a tenth, which is more than a screen shows.
func svgNumber(f float64) string { return strconv.FormatFloat(math.Round(10*f)/10, 'f', -1, 64) }
