package web

import "strings"

// bare is the name of a smarthost without a user and a password before it. One
// that has them is refused, and what was typed is shown with the reason.
func bare(target string) string {
	scheme, rest := "", target
	if i := strings.Index(target, "://"); i >= 0 {
		scheme, rest = target[:i+3], target[i+3:]
	}
	return scheme + rest[strings.LastIndex(rest, "@")+1:]
}
