package probe

import (
	"regexp"
	"strings"
	"time"
)

// maxDated bounds how much of a reply is searched for a date.
const maxDated = 4 << 10

// clockForm is a form in which smarthosts tell the time.
type clockForm struct {
	pattern *regexp.Regexp
	layout  string // of what plainDate makes of it
}

// clockForms are those in use: that of mail (RFC 5322, section 3.3), with which
// Exim, Sendmail, Exchange, Domino and MDaemon greet, that of date(1), and that
// of RFC 3339. A zone has to be a number or that of Greenwich: the letters of
// others mean different things in different places.
var clockForms = [...]clockForm{
	{
		regexp.MustCompile(`\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +)?\d{1,2}[ -][A-Z][a-z]{2}[ -]\d{4} +\d{1,2}:\d{2}:\d{2} +(?:[+-]\d{4}\b|GMT\b|UTC\b|UT\b|Z\b)`),
		"2 Jan 2006 15:04:05 -0700",
	},
	{
		regexp.MustCompile(`\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} +\d{1,2} \d{2}:\d{2}:\d{2} (?:[+-]\d{4}|GMT|UTC) \d{4}\b`),
		"Jan 2 15:04:05 -0700 2006",
	},
	{
		regexp.MustCompile(`\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})? ?(?:Z\b|[+-]\d{2}:?\d{2}\b)`),
		"2006-01-02 15:04:05 -0700",
	},
}

// toldTime returns the time that a reply tells, to the second.
func toldTime(text string) (time.Time, bool) {
	text = text[:min(len(text), maxDated)]
	for i := range clockForms {
		found := clockForms[i].pattern.FindString(text)
		if found == "" {
			continue
		}
		if at, err := time.Parse(clockForms[i].layout, plainDate(found)); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// plainDate writes a date in one form: without the day of the week, blanks and
// hyphens that differ, fractions of a second and names of zones.
func plainDate(text string) string {
	if text[0] >= '0' && text[0] <= '9' && len(text) > 10 && text[4] == '-' {
		return plainRFC3339(text)
	}
	words := strings.Fields(text)
	if words[0][0] > '9' {
		words = words[1:]
	}
	for i, word := range words {
		if strings.Contains("GMT UTC UT Z", word) {
			words[i] = "+0000"
		}
	}
	words[0] = strings.ReplaceAll(words[0], "-", " ")
	return strings.Join(words, " ")
}

func plainRFC3339(text string) string {
	date, rest := text[:10], text[11:]
	clock, zone := rest[:8], strings.TrimLeft(rest[8:], ".0123456789 ")
	if zone == "Z" {
		zone = "+0000"
	}
	return date + " " + clock + " " + strings.ReplaceAll(zone, ":", "")
}
