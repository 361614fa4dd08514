package replay

import (
	"regexp"
	"strings"
)

// listed are parts of names that say who refused: a blocklist or a filter's
// maker is what the answer to a refusal depends on.
var listed = regexp.MustCompile(`(?i)spam|abuse|dnsbl|rbl|sorbs|surbl|uribl|barracuda|sender(?:base|score)|proofpoint|cloudmark|mimecast|talos|blocklist|blacklist|(?:^|\.)[a-z]{0,2}bl\.|(?:^|\.)b\.`)

// software are words with a dot in them that are no host's name.
var software = regexp.MustCompile(`(?i)^(?:node\.js|asp\.net|\.net|e\.g|i\.e)$|\.(?:php|html?|shtml|cgi|aspx?|conf|cf|mc|cc|c|go|py|txt)$`)

// ends are what follows the dot in words that a server made up of several, as
// Exchange does: no names of hosts.
var dotted = regexp.MustCompile(`^[A-Z]{3,}(?:\.[A-Za-z]+)+$`)

// host replaces a host's name. The names in links and of those who refused
// stay: they have a meaning.
func host(found string) string {
	switch {
	case strings.Contains(found, "/") || strings.HasPrefix(strings.ToLower(found), "www."):
		return found
	case listed.MatchString(found), software.MatchString(found), isSentence(found):
		return found
	}
	return aHost
}

// isSentence tells "later.Please" and "RESOLVER.ADR.RecipNotFound" from a name:
// each part but the first begins with a capital, and the last is no domain's.
func isSentence(word string) bool {
	parts := strings.Split(word, ".")
	last := parts[len(parts)-1]
	if strings.ToUpper(last) == last || strings.ToLower(last) == last {
		return false
	}
	return true
}
