package policy

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseSpan reads a length of time: Go's notation ("90s", "1h30m"), and days
// and weeks ("30d", "2w"), which Go's lacks because not every day has 24
// hours; here they do.
func ParseSpan(text string) (time.Duration, error) {
	if number, unit, ok := days(text); ok && number <= float64(math.MaxInt64/unit) {
		return time.Duration(number * float64(unit)), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no length of time: write it as 30d, 12h, 5m or 20s", text)
	}
	return d, nil
}

func days(text string) (number float64, unit time.Duration, ok bool) {
	digits, isDays := strings.CutSuffix(text, "d")
	unit = 24 * time.Hour
	if !isDays {
		digits, ok = strings.CutSuffix(text, "w")
		if !ok {
			return 0, 0, false
		}
		unit *= 7
	}
	number, err := strconv.ParseFloat(digits, 64)
	return number, unit, err == nil && number >= 0
}

// FormatSpan writes d as [ParseSpan] reads it, in days where it is whole days.
func FormatSpan(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= day && d%day == 0:
		return strconv.FormatInt(int64(d/day), 10) + "d"
	case d >= time.Hour && d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d >= time.Minute && d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	}
	return d.String()
}

// sizes holds the units of a size, the longer name before the one it ends in.
var sizes = []struct {
	name   string
	octets float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"K", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12},
	{"B", 1}, {"", 1},
}

// ParseSize reads a number of octets: "2GB", "500MB", "1GiB", "4096".
func ParseSize(text string) (int64, error) {
	for _, s := range sizes {
		digits, ok := cutUnit(text, s.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		if err != nil || n < 0 || n*s.octets >= math.MaxInt64 || math.IsNaN(n) {
			break
		}
		return int64(n * s.octets), nil
	}
	return 0, fmt.Errorf("%q is no size: write it as 500MB, 2GB or 1GiB", text)
}

func cutUnit(text, unit string) (string, bool) {
	cut := len(text) - len(unit)
	if cut < 0 || !strings.EqualFold(text[cut:], unit) {
		return "", false
	}
	return text[:cut], true
}

// FormatSize writes n as [ParseSize] reads it, in the largest unit that
// divides it.
func FormatSize(n int64) string {
	for _, unit := range []struct {
		name   string
		octets int64
	}{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}} {
		if n >= unit.octets && n%unit.octets == 0 {
			return strconv.FormatInt(n/unit.octets, 10) + unit.name
		}
	}
	return strconv.FormatInt(n, 10) + "B"
}
