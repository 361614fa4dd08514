package replay

import (
	"net/netip"
	"regexp"
	"strings"
)

// unvary makes one pass over a text. Whatever it puts in cannot be found
// again, so that passes come to an end.
func unvary(text string) string {
	for _, f := range forms {
		if strings.Contains(text, f.needs) {
			text = f.pattern.ReplaceAllStringFunc(text, f.put)
		}
	}
	for _, s := range settings {
		if strings.Contains(text, s.needs) {
			text = s.pattern.ReplaceAllString(text, s.put)
		}
	}
	return unvaryWords(text)
}

// form is one kind of thing that is known by how it is written.
type form struct {
	needs   string // what a text without cannot have the form; saves most of the work
	pattern *regexp.Regexp
	put     func(found string) string
}

// Parts of the patterns of dates.
const (
	aWeekday = `(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*`
	aMonth   = `(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*`
	aClock   = `[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:\.[0-9]+)?`
	aZone    = `(?:,? ?[+-][0-9]{2}:?[0-9]{2}\b| (?:[ap]m )?(?:utc|gmt|[a-z]{1,3}[sd]?t)\b| [ap]m\b)?(?: \([a-z]{1,5}\))?`
)

// forms stand in the order in which they are looked for: a time has colons as
// an IPv6 address has, a mail address holds the name of a host.
var forms = []form{
	always(":", `(?i)\b`+aWeekday+`,? [0-9]{1,2} `+aMonth+`,? [0-9]{4},? `+aClock+aZone, aTime), // RFC 5322
	always(":", `(?i)\b(?:`+aWeekday+`,? )?`+aMonth+` [0-9]{1,2},? (?:[0-9]{4},? )?`+aClock+aZone+`(?: [0-9]{4}\b)?`, aTime),
	always(":", `(?i)\b[0-9]{1,2}[ -]`+aMonth+`,?[ -][0-9]{2,4},? `+aClock+aZone, aTime),
	always("", `(?i)\b[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}(?:[t ,]+`+aClock+`(?:z\b|`+aZone+`))?`, aTime),
	always(":", `(?i)\b[0-9]{1,2}:[0-9]{2}:[0-9]{2}\b(?:\.[0-9]+)?`+aZone, aTime),
	always("@", `[^][\s<>@{}()"'=?&/:;,|`+"`"+`]+@(?:[A-Za-z0-9_.-]*[A-Za-z0-9_-]|\[[^][\s]*\])`, anAddr),
	always("-", `(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b(?:\.[0-9]+)*`, anID),
	{":", regexp.MustCompile(`(?i)\[(?:ipv6:)?[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*(?:%[a-z0-9]+)?(?: +[0-9]{1,4})?\](?::[0-9]+\b)?`), ip},
	{":", regexp.MustCompile(`(?i)(?:ipv6:)?[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*[0-9a-f:](?:%[a-z0-9]+)?`), ip},
	{".", regexp.MustCompile(`(?:\b(?i:rfc)[ -]?[0-9]+,? (?:section )?)?(?:\[[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?: +[0-9]{1,4})?\]|\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b)(?::[0-9]+\b)?`), ip},
	{".", regexp.MustCompile(`(?i)(?:[a-z][a-z0-9+-]*://|\bwww\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.[a-z][a-z0-9-]*[a-z0-9]\b(?:/[^\s<>"']*)?`), host},
}

func always(needs, pattern, put string) form {
	return form{needs, regexp.MustCompile(pattern), func(string) string { return put }}
}

// ip replaces an address with its brackets and its port, and the number that
// Gmail puts behind it.
func ip(found string) string {
	text := found
	if bracketed, _, ok := strings.Cut(strings.TrimPrefix(found, "["), "]"); ok {
		text, _, _ = strings.Cut(bracketed, " ")
	}
	if _, err := netip.ParseAddrPort(text); err == nil {
		return anIP
	}
	if len(text) > 5 && strings.EqualFold(text[:5], "ipv6:") {
		text = text[5:]
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return anIP
	}
	return found
}

// setting is what only its surroundings tell.
type setting struct {
	needs   string
	pattern *regexp.Regexp
	put     string
}

var settings = []setting{
	// An id in so many words is one whatever it looks like.
	{"", regexp.MustCompile(`(?i)\b(queued(?: for delivery)? as|(?:queue|message|mail|msg|session|transaction|request|correlation|support|smtp|conn|connection)[ _-]?id|id|session|ticket|incident|correlation|reference(?: number| code)?|ref|mxid|internalid)([:=# ]+["'<\[(]*)[A-Za-z0-9_+/=.-]*[0-9][A-Za-z0-9_+/=.-]*`), "${1}${2}" + anID},
	{" - gsmtp", regexp.MustCompile(`\b[A-Za-z0-9.-]*[0-9][A-Za-z0-9.-]* - gsmtp\b`), anID + " - gsmtp"},
	{"SimpleEmailService-", regexp.MustCompile(`\bSimpleEmailService-[a-z]-[A-Z0-9]+\b`), "SimpleEmailService-" + anID},
	{"qp ", regexp.MustCompile(`\bqp [0-9]+\b`), "qp " + anID}, // qmail: the number of a process
	{"", regexp.MustCompile(`(?i)\bmessage [0-9]+ (accepted|queued|received)\b`), "Message " + anID + " $1"},
	// The node of a pool, which GMX and its sisters put behind their name.
	{aHost, regexp.MustCompile(regexp.QuoteMeta(aHost) + `(?: \([a-z]+[0-9]+\))+`), aHost},
	// How much was done, not how much may be.
	{" in ", regexp.MustCompile(`(?i)\b[0-9]+ (bytes|octets) in [0-9.]+(?:, [0-9.]+)?`), aCount + " $1 in " + aCount},
	{".", regexp.MustCompile(`(?i)\b[0-9]+\.[0-9]+ ?(s|secs?|seconds|ms)\b`), aCount + " $1"}, // a delay that is asked for is no fraction
	{"%)", regexp.MustCompile(`\b[0-9]+/([0-9]+) \([0-9]+%\)`), aCount + "/$1 (" + aCount + "%)"},
}
