package web

import (
	"strconv"
	"time"
)

// chartTick is a mark of an axis. Places are in percent of the chart's width, so
// that it fits any screen and its letters keep their size.
type chartTick struct {
	At    string
	Label string
	Minor bool // left out where there is little room
}

// percent writes a part of a whole as an SVG length.
func percent(part, whole float64) string {
	return strconv.FormatFloat(100*part/whole, 'f', 3, 64) + "%"
}

// valueTicks returns the marks of an axis that begins at nought and has most
// on it: three or four round numbers.
func valueTicks(most int) []int {
	step := valueStep(most)
	var all []int
	for v := 0; v < most+step; v += step {
		all = append(all, v)
	}
	return all
}

// valueStep is the least of 1, 2, 5, 10, 20 … that needs no more than four
// steps.
func valueStep(most int) int {
	for unit := 1; ; unit *= 10 {
		for _, step := range []int{unit, 2 * unit, 5 * unit} {
			if 4*step >= most {
				return step
			}
		}
	}
}

// mostTimeTicks is how many marks a time axis has at most.
const mostTimeTicks = 8

// timeTicks returns the marks of a time axis, at whole hours and days of the
// zone.
func timeTicks(since, until time.Time, zone *time.Location) []chartTick {
	step := timeStep(until.Sub(since))
	var all []chartTick
	for i, at := range momentsOf(since.In(zone), until, step) {
		all = append(all, chartTick{At: percent(float64(at.Sub(since)), float64(until.Sub(since))), Label: tickLabel(at, step), Minor: i%2 == 1})
	}
	return all
}

const oneDay = 24 * time.Hour

func timeStep(span time.Duration) time.Duration {
	for _, step := range []time.Duration{
		time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour, 6 * time.Hour, 12 * time.Hour, oneDay, 2 * oneDay, 5 * oneDay,
	} {
		if span/step < mostTimeTicks {
			return step
		}
	}
	return span / mostTimeTicks
}

// momentsOf lists moments a step apart, counted from the midnight before the
// first. Days are counted on the calendar: not all have 24 hours.
func momentsOf(since, until time.Time, step time.Duration) []time.Time {
	midnight := time.Date(since.Year(), since.Month(), since.Day(), 0, 0, 0, 0, since.Location())
	var all []time.Time
	for i := range 2000 {
		at := midnight.Add(time.Duration(i) * step)
		if step >= oneDay {
			at = midnight.AddDate(0, 0, i*int(step/oneDay))
		}
		if !at.Before(until) {
			break
		}
		if !at.Before(since) {
			all = append(all, at)
		}
	}
	return all
}

// tickLabel names a moment as briefly as the step between two allows.
func tickLabel(at time.Time, step time.Duration) string {
	if step >= oneDay || at.Hour() == 0 && at.Minute() == 0 {
		return at.Format("Jan 2")
	}
	return at.Format("15:04")
}
