package replay

import (
	"net/netip"
	"regexp"
	"strings"
)

// unvary makes one pass over a text. Each form that it finds gets shorter of
// all that could be found again, so passes come to an end.
func unvary(text string) string {
	for _, f := range forms {
		text = f.pattern.ReplaceAllStringFunc(text, f.put)
	}
	return unvaryWords(text)
}

// form is one kind of thing that is known by how it is written.
type form struct {
	pattern *regexp.Regexp
	put     func(found string) string
}

// forms stand in the order in which they are looked for: a time has colons as
// an IPv6 address has, a mail address holds the name of a host.
var forms = []form{
	always(`(?i)\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? (?:[0-9]{1,2} [a-z]{3,9},?|[a-z]{3,9} [0-9]{1,2},?) (?:[0-9]{4} )?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:\.[0-9]+)?(?: [0-9]{4}\b)?(?: ?[+-][0-9]{4}| UTC| GMT| [A-Z]{3,4}\b)?(?: \([A-Z]{1,5}\))?(?: [0-9]{4}\b)?`, aTime),
	always(`(?i)\b[0-9]{1,2}[ -](?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*,?[ -][0-9]{2,4},? [0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?: ?[+-][0-9]{4}| UTC| GMT)?(?: \([A-Z]{1,5}\))?`, aTime),
	always(`\b[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}(?:[T ,]+[0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:[.,][0-9]+)?(?:Z|[ ]?UTC|[ ]?GMT|[ ]?[+-][0-9]{2}:?[0-9]{2})?)?`, aTime),
	always(`\b[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?: ?[+-][0-9]{4}\b)?`, aTime),
	always(`[^][\s<>@{}()"'=?&/:;,|]+@[A-Za-z0-9_.-]*[A-Za-z0-9_-]|[^][\s<>@{}()"'=?&/:;,|]+@(?:\[[^][\s]*\])`, anAddr),
	always(`(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`, anID),
	{regexp.MustCompile(`(?i)\[?(?:IPv6:)?[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*[0-9a-f:](?:%[a-z0-9]+)?\]?(?::[0-9]+\b)?`), ip},
	{regexp.MustCompile(`\[?\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b\]?(?::[0-9]+\b)?`), ip},
	{regexp.MustCompile(`(?i)(?:[a-z][a-z0-9+-]*://|\bwww\.)?[a-z0-9_{}](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.[a-z][a-z0-9-]*[a-z0-9]\b(?:/[^\s<>"'{}]*)?`), host},
}

func always(pattern, put string) form {
	return form{regexp.MustCompile(pattern), func(string) string { return put }}
}

// ip replaces an address, its brackets and its port.
func ip(found string) string {
	text := strings.TrimPrefix(found, "[")
	if _, err := netip.ParseAddrPort(found); err == nil {
		return anIP
	}
	end := strings.LastIndexByte(text, ']')
	if end >= 0 {
		text = text[:end]
	}
	if len(text) > 5 && strings.EqualFold(text[:5], "ipv6:") {
		text = text[5:]
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return anIP
	}
	return found
}
