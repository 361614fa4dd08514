package main

import (
	"time"

	"smtp-proxy/inspect"
)

// daysLeft says how far a date is from now, in whole days.
func daysLeft(until, now time.Time) string {
	n := int(until.Sub(now) / (24 * time.Hour))
	if until.Before(now) {
		return "expired " + inspect.Count(-n, "day") + " ago"
	}
	return inspect.Count(n, "day") + " left"
}
