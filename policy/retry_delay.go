package policy

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// MaxDelay is the longest delay that is believed when a reply names one.
const MaxDelay = 7 * 24 * time.Hour

// A delay counts only behind a word that asks for waiting: "more than 100
// messages in 60 minutes" is a limit, not a delay.
const askToWait = `(?i)(?:\btry\b|\bretry|\bagain\b|\bwait\b|come back|\breturn\b|\bresend\b|grey-?list|gray-?list|\bdelay|\bdefer|\bblocked for\b|\blocked for\b|\bbanned for\b|\bpause)`

var (
	delayClock = regexp.MustCompile(askToWait + `[^;]{0,120}?\bin (\d{1,2}):(\d{2}):(\d{2})\b`)
	delayISO   = regexp.MustCompile(askToWait + `[^;]{0,80}?\b(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(Z| ?UTC| ?GMT|[+-]\d{2}:?\d{2})?`)
	delayUnits = regexp.MustCompile(askToWait + `[^;\d]{0,60}?\b(\d{1,7}) ?(seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)\b`)
	delayBare  = regexp.MustCompile(`(?i)\bretry[-_ ]after[:= ]+(\d{1,7})(?:$|[ ,;)]|\.\s)`)
)

// Delay reads the wait that a reply asks for: "try again in 300 seconds",
// "greylisted for 5 minutes", "in 00:04:59", "retry after
// 2026-11-21T10:00:00Z" (against now). ok is false when it names none, or
// one beyond [MaxDelay].
func Delay(text string, now time.Time) (d time.Duration, ok bool) {
	for _, read := range []func(string, time.Time) (time.Duration, bool){clockDelay, isoDelay, unitDelay, bareDelay} {
		if d, ok := read(text, now); ok && d > 0 && d <= MaxDelay {
			return d, true
		}
	}
	return 0, false
}

func clockDelay(text string, _ time.Time) (time.Duration, bool) {
	m := delayClock.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	return amount(m[1], time.Hour) + amount(m[2], time.Minute) + amount(m[3], time.Second), true
}

func isoDelay(text string, now time.Time) (time.Duration, bool) {
	m := delayISO.FindStringSubmatch(text)
	if m == nil || now.IsZero() {
		return 0, false
	}
	zone := strings.TrimSpace(m[3])
	if zone == "" || zone == "UTC" || zone == "GMT" {
		zone = "Z"
	}
	for _, layout := range []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z0700"} {
		if at, err := time.Parse(layout, m[1]+"T"+m[2]+zone); err == nil {
			return at.Sub(now).Round(time.Second), true
		}
	}
	return 0, false
}

func unitDelay(text string, _ time.Time) (time.Duration, bool) {
	m := delayUnits.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	unit := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}
	return amount(m[1], unit[m[2][0]|0x20]), true
}

func bareDelay(text string, _ time.Time) (time.Duration, bool) {
	m := delayBare.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	return amount(m[1], time.Second), true
}

// amount multiplies digits (seven at most, so nothing overflows) by a unit.
func amount(digits string, unit time.Duration) time.Duration {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return time.Duration(n) * unit
}
