package web

import (
	"fmt"
	"strconv"
	"time"
)

// stamp writes a moment to the millisecond, with its zone: a report is read
// elsewhere.
func stamp(at time.Time, zone *time.Location) string {
	return at.In(zone).Format("2006-01-02 15:04:05.000 MST")
}

func day(at time.Time, zone *time.Location) string { return at.In(zone).Format(time.DateOnly) }

// took writes how long something lasted, in three digits at most.
func took(d time.Duration) string {
	switch ms := float64(d) / float64(time.Millisecond); {
	case d < 999500*time.Nanosecond:
		return fmt.Sprintf("%.0f µs", ms*1000)
	case ms < 9.95:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 999.5:
		return fmt.Sprintf("%.0f ms", ms)
	case d < time.Minute-50*time.Millisecond:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm %02ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%dh %02dm", d/time.Hour, d%time.Hour/time.Minute)
}

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

// octets writes a size in powers of ten, as mail programs do.
func octets(n int64) string {
	switch f := float64(n); {
	case n < 1000:
		return count(int(n), "octet")
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", f/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1f MB", f/1e6)
	default:
		return fmt.Sprintf("%.2f GB", f/1e9)
	}
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// seconds writes a time to wait as a person would say it.
func seconds(n int) string {
	d := time.Duration(n) * time.Second
	switch {
	case d >= 48*time.Hour:
		return count(int(d/(24*time.Hour)), "day")
	case d >= 2*time.Hour:
		return count(int(d/time.Hour), "hour")
	case d >= 2*time.Minute:
		return count(int(d/time.Minute), "minute")
	}
	return count(n, "second")
}

// validity says how a certificate's dates stood at a moment.
func validity(from, until, at time.Time) string {
	switch n := int(until.Sub(at) / (24 * time.Hour)); {
	case at.Before(from):
		return "not valid yet"
	case until.Before(at):
		return "expired " + count(-n, "day") + " before"
	default:
		return count(n, "day") + " left"
	}
}
