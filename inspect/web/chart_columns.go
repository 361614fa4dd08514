package web

import (
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// The plot of the columns chart, in pixels from its top.
const (
	plotTop    = 8.0
	plotHeight = 176.0
	plotFoot   = plotTop + plotHeight
)

// columnsChart is outcomes over time: a column of parts for each step.
type columnsChart struct {
	Lines     []chartLine
	Ticks     []chartTick
	Columns   []chartColumn
	Top, Plot float64 // y and height of the columns' ground
	Label     float64 // y of the letters below it
	Height    float64
	Outcomes  []badge // of the table, in the order of the parts
}

// chartLine is a horizontal line at a round number.
type chartLine struct {
	Y     string
	Label string
	Zero  bool
}

// chartColumn is one step of time.
type chartColumn struct {
	X, Width   string
	When, Text string
	Link       string // to the sessions that began in it; empty when there are none
	Parts      []columnPart
	Counts     []int // one for each of the chart's outcomes
	Sessions   int
}

// columnPart is the sessions of one outcome in a column.
type columnPart struct {
	Y, Height string
	Outcome   inspect.Outcome
	Link      string
}

// stacked is the order of a column's parts from its foot. What failed is on
// top, where the outline shows it.
func stacked() []inspect.Outcome {
	return []inspect.Outcome{inspect.Delivered, inspect.NoMail, inspect.Open, inspect.Partial, inspect.Aborted, inspect.Rejected, inspect.Failed}
}

// columnsOf draws what an overview counted. link makes the address of the
// sessions that a filter's words select.
func columnsOf(o store.Overview, zone *time.Location, link func(words ...string) string) *columnsChart {
	c := &columnsChart{Top: plotTop, Plot: plotHeight, Label: plotFoot + 18, Height: plotFoot + 26, Ticks: timeTicks(o.Since, o.Until, zone)}
	most := 0
	for i := range o.Columns {
		most = max(most, sumOutcomes(o.Columns[i].Outcomes))
	}
	marks := valueTicks(most)
	top := marks[len(marks)-1]
	for _, v := range marks {
		c.Lines = append(c.Lines, chartLine{Y: svgNumber(plotFoot - plotHeight*float64(v)/float64(top)), Label: grouped(v), Zero: v == 0})
	}
	seen := map[inspect.Outcome]int{}
	for i := range o.Columns {
		addOutcomes(seen, o.Columns[i].Outcomes)
	}
	shown := shownOutcomes(seen)
	for _, outcome := range shown {
		c.Outcomes = append(c.Outcomes, badgeOf(outcome))
	}
	d := drawing{overview: o, zone: zone, link: link, top: top, shown: shown}
	for i := range o.Columns {
		c.Columns = append(c.Columns, d.column(i))
	}
	return c
}

func shownOutcomes(seen map[inspect.Outcome]int) (shown []inspect.Outcome) {
	for _, outcome := range stacked() {
		if seen[outcome] > 0 {
			shown = append(shown, outcome)
		}
	}
	return shown
}

// drawing is what the columns of a chart have in common.
type drawing struct {
	overview store.Overview
	zone     *time.Location
	link     func(words ...string) string
	top      int
	shown    []inspect.Outcome
}

func (d drawing) column(i int) chartColumn {
	o := &d.overview
	since, n := o.Columns[i].At, float64(len(o.Columns))
	words := between(since, since.Add(o.Width))
	c := chartColumn{
		X: percent(float64(i), n), Width: percent(1, n), When: stepName(since.In(d.zone), since.Add(o.Width).In(d.zone)),
		Sessions: sumOutcomes(o.Columns[i].Outcomes),
	}
	if c.Sessions > 0 {
		c.Link = d.link(words...)
	}
	y, texts := plotFoot, []string{c.When + ": " + sessionsText(c.Sessions)}
	for _, outcome := range d.shown {
		count := o.Columns[i].Outcomes[outcome]
		c.Counts = append(c.Counts, count)
		if count == 0 {
			continue
		}
		height := max(leastHeight, plotHeight*float64(count)/float64(d.top))
		y -= height
		p := columnPart{Y: svgNumber(y), Height: svgNumber(height), Outcome: outcome}
		p.Link = d.link(append(words[:len(words):len(words)], "outcome:"+string(outcome))...)
		c.Parts = append(c.Parts, p)
		texts = append(texts, grouped(count)+" "+string(outcome))
	}
	c.Text = strings.Join(texts, ", ")
	return c
}

// leastHeight keeps one failure among a thousand good sessions visible.
const leastHeight = 2.0

// between is the filter of sessions that began from since on and before until.
func between(since, until time.Time) []string {
	return []string{"since:" + filterMoment(since), "before:" + filterMoment(until)}
}

func filterMoment(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

// stepName names a step of time.
func stepName(since, until time.Time) string {
	switch {
	case until.Sub(since) >= oneDay-time.Hour && since.Hour() == 0 && until.Hour() == 0:
		return since.Format("Mon, Jan 2")
	case since.YearDay() == until.YearDay():
		return since.Format("Jan 2, 15:04") + "–" + until.Format("15:04")
	}
	return since.Format("Jan 2, 15:04") + " – " + until.Format("Jan 2, 15:04")
}

func sumOutcomes(counts map[inspect.Outcome]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}

func addOutcomes(to, counts map[inspect.Outcome]int) {
	for outcome, n := range counts {
		to[outcome] += n
	}
}
