package web

import (
	"fmt"
	"time"

	"smtp-proxy/inspect"
)

// stamp writes a moment to the millisecond, with its zone: a report is read
// elsewhere.
func stamp(at time.Time, zone *time.Location) string {
	return at.In(zone).Format("2006-01-02 15:04:05.000 MST")
}

func day(at time.Time, zone *time.Location) string { return at.In(zone).Format(time.DateOnly) }

// since writes how far into a session something was.
func since(d time.Duration) string {
	switch {
	case d < 0:
		return "−" + since(-d)
	case d < time.Minute:
		return fmt.Sprintf("%.3f", d.Seconds())
	}
	return fmt.Sprintf("%d:%06.3f", d/time.Minute, (d % time.Minute).Seconds())
}

// validity says how a certificate's dates stood at a moment.
func validity(from, until, at time.Time) string {
	switch n := int(until.Sub(at) / (24 * time.Hour)); {
	case at.Before(from):
		return "not valid yet"
	case until.Before(at):
		return "expired " + inspect.Count(-n, "day") + " before"
	default:
		return inspect.Count(n, "day") + " left"
	}
}
