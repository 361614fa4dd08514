package replay

import (
	"regexp"
	"strings"
)

// listed are parts of names that say who refused: what to do about a refusal
// depends on the blocklist, or the maker of the filter.
var listed = regexp.MustCompile(`(?i)spam|abuse|dnsbl|rbl|sorbs|surbl|uribl|barracuda|sender(?:base|score)|proofpoint|cloudmark|mimecast|talos|blocklist|blacklist|(?:^|\.)[a-z]{0,2}bl\.|(?:^|\.)b\.`)

// files are names with a dot that are no hosts'.
var files = regexp.MustCompile(`(?i)\.(?:php|html?|shtml|cgi|aspx?|jsp|conf|cf|mc|js|txt)$`)

// poolNode is a name whose first part counts machines.
var poolNode = regexp.MustCompile(`^[^.]*[0-9][^.]*\.[^.]+\.`)

// host replaces a host's name, unless it has a meaning: the host of a link and
// whoever refused do.
func host(found string) string {
	if scheme, rest, ok := strings.Cut(found, "://"); ok {
		name, path, _ := strings.Cut(rest, "/")
		return scheme + "://" + name + linkPath(path)
	}
	name, path, linked := strings.Cut(found, "/")
	switch {
	case linked && (strings.Contains(path, "/") || strings.Contains(path, "?")), strings.HasPrefix(strings.ToLower(found), "www."):
		return name + linkPath(path)
	case linked:
		return hostName(name) + "/" + path
	}
	return hostName(found)
}

func hostName(name string) string {
	if isSentence(name) || files.MatchString(name) && strings.Count(name, ".") == 1 || listed.MatchString(name) && !poolNode.MatchString(name) {
		return name
	}
	return aHost
}

// isSentence tells "later.Please" and "RESOLVER.ADR.RecipNotFound" from a name:
// no domain is written in both cases behind its last dot.
func isSentence(word string) bool {
	last := word[strings.LastIndexByte(word, '.')+1:]
	return strings.ToUpper(last) != last && strings.ToLower(last) != last
}

// pathHost is the name of a host within a link, which is the app's or the
// recipient's: the help of postgrey and the queries of blocklists have one.
var pathHost = regexp.MustCompile(`(?i)^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*[a-z0-9]$`)

func linkPath(path string) string {
	if path == "" {
		return ""
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		name := strings.TrimSuffix(part, ".html")
		if pathHost.MatchString(name) && !files.MatchString(name) {
			parts[i] = aHost
		}
	}
	return "/" + strings.Join(parts, "/")
}
