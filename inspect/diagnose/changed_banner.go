package diagnose

import (
	"fmt"
	"regexp"
	"strings"
)

// bannerFacet compares greetings, less what is different each time.
func bannerFacet() facet {
	return facet{of: func(p *profile) string { return p.greets() }, tell: func(old, now *profile) []change {
		text := fmt.Sprintf("the upstream greets with %q, before with %q", shown(firstLine(now.banner)), shown(firstLine(old.banner)))
		return []change{{text, []string{"connect.not-smtp", "connect.rejected", "tls.not-offered", "tls.stripped", "auth.mechanism-unsupported", "auth.encryption-required", "relay.denied", "protocol."}}}
	}}
}

var (
	versionWord = regexp.MustCompile(`^\(?v?\d{1,2}(?:\.\d{1,3}){1,3}\)?,?;?$`)
	hostWord    = regexp.MustCompile(`(?i)^[a-z0-9][a-z0-9.-]*\.[a-z]{2,}[,;]?$`)
	dateWord    = regexp.MustCompile(`(?i)^(?:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*,?$|^\([A-Z]{3,5}\)$`)
	digits      = regexp.MustCompile(`\d+`)
)

// normalBanner takes the session's id, the date and the number of the host in
// its pool out of a greeting; the software's version stays.
func normalBanner(banner string) string {
	var words []string
	for _, w := range strings.Fields(firstLine(banner)) {
		switch {
		case dateWord.MatchString(w):
			continue
		case versionWord.MatchString(w):
		case hostWord.MatchString(w):
			w = strings.ToLower(digits.ReplaceAllString(w, "#"))
		case strings.ContainsAny(w, "0123456789") && len(words) > 0:
			w = "#"
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}
