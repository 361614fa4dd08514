package inspect

import (
	"fmt"
	"strconv"
	"time"
)

// Took writes how long something lasted for a person, in three digits at most.
func Took(d time.Duration) string {
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

// Octets writes a size for a person as mail programs do, in powers of ten.
func Octets(n int64) string {
	switch f := float64(n); {
	case n < 1000:
		return Count(int(n), "octet")
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", f/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1f MB", f/1e6)
	default:
		return fmt.Sprintf("%.2f GB", f/1e9)
	}
}

// Count writes a number of things: 1 session, 2 sessions.
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// Seconds writes a time to wait as a person would say it.
func Seconds(n int) string {
	d := time.Duration(n) * time.Second
	switch {
	case d >= 48*time.Hour:
		return Count(int(d/(24*time.Hour)), "day")
	case d >= 2*time.Hour:
		return Count(int(d/time.Hour), "hour")
	case d >= 2*time.Minute:
		return Count(int(d/time.Minute), "minute")
	}
	return Count(n, "second")
}
