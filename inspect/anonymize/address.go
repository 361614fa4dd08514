package anonymize

import (
	"regexp"
	"strings"
)

// address replaces a mail address; without a domain it is a name.
func (a *Anonymizer) address(text string) string {
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return a.local(text)
	}
	return a.local(text[:at]) + "@" + a.domain(text[at+1:])
}

// roles are the mailboxes that RFC 2142 names and others that belong to nobody.
var roles = regexp.MustCompile(`(?i)^(postmaster|abuse|hostmaster|webmaster|mailer-daemon|no-?reply|apikey|emailapikey|resend|smtp_injection|[245]\d\d([_-].*)?)$`)

// accessKeys are user names that say what kind of key they are.
var accessKeys = regexp.MustCompile(`^(AKIA|ASIA)([A-Z0-9]{12,124})$`)

func (a *Anonymizer) local(text string) string {
	if roles.MatchString(text) {
		return text
	}
	if m := accessKeys.FindStringSubmatch(text); m != nil {
		return m[1] + a.word(m[2])
	}
	a.learn(text)
	return a.name(text)
}

// domain replaces what stands behind the @: a name, or an address in brackets.
func (a *Anonymizer) domain(text string) string {
	if inner, ok := strings.CutPrefix(text, "["); ok {
		inner, closed := strings.CutSuffix(inner, "]")
		prefix := ""
		if len(inner) > 5 && strings.EqualFold(inner[:5], "IPv6:") {
			prefix, inner = inner[:5], inner[5:]
		}
		out := "[" + prefix + a.ipText(inner)
		if closed {
			out += "]"
		}
		return out
	}
	return a.host(text)
}
