package store

import (
	"time"

	"smtp-proxy/inspect"
)

// mostSlots bounds the slots that are read of a span that has to be widened.
const mostSlots = 400

// newSurvey lays out the overview that is asked for.
func newSurvey(q OverviewQuery, now time.Time) *survey {
	if q.Columns <= 0 {
		q.Columns = overviewColumns
	}
	since, until := q.Since.Unix(), max(q.Until.Unix(), q.Since.Unix()+1)
	width := max((until-since+int64(q.Columns)-1)/int64(q.Columns), 1)
	step := stepOf(since, until, width, now)
	if since%step != 0 || width%step != 0 { // it is to be widened: to columns that begin at round times
		width = (width + step - 1) / step * step
		since -= since % width
	}
	n := (until - since + width - 1) / width
	v := &survey{span: tallySpan{step, q.Upstream, since, since + n*width}, width: width, now: now, one: q.Upstream}
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0).In(q.Since.Location()) }
	v.Since, v.Until, v.Width = at(since), at(v.span.until), time.Duration(width)*time.Second
	for i := range n {
		v.Columns = append(v.Columns, Column{At: at(since + i*width), Outcomes: map[inspect.Outcome]int{}})
	}
	return v
}

// stepOf chooses the slots that a span is made of: the widest of which its
// beginning and its columns are whole ones, else the narrowest that are not too
// many; in both cases of those that go back far enough.
func stepOf(since, until, width int64, now time.Time) int64 {
	all := steps()
	timed := all[:len(all)-1]
	for i := len(timed) - 1; i >= 0; i-- {
		if s := timed[i]; since%s.seconds == 0 && width%s.seconds == 0 && since >= s.horizon(now) {
			return s.seconds
		}
	}
	for _, s := range timed {
		if since >= s.horizon(now) && (until-since)/s.seconds <= mostSlots {
			return s.seconds
		}
	}
	return timed[len(timed)-1].seconds
}
