package rules

import (
	"fmt"
	"regexp"
)

// Placeholders returns the names that may stand in braces in titles,
// explanations and fix steps, each with the words that replace it when the
// session does not tell. Whoever shows a finding fills them in.
func Placeholders() map[string]string {
	return map[string]string{
		"host":        "the smarthost",
		"port":        "the configured port",
		"upstream":    "the smarthost",
		"addr":        "its address",
		"egress":      "the address that the smarthost sees",
		"user":        "the user name",
		"mechanism":   "the AUTH mechanism",
		"mechanisms":  "those listed in its EHLO reply",
		"from":        "the sender address",
		"from_domain": "the sender's domain",
		"rcpt":        "the recipient address",
		"rcpt_domain": "the recipient's domain",
		"helo":        "the EHLO name",
		"names":       "other names",
		"subject":     "the certificate",
		"issuer":      "its issuer",
		"not_before":  "its start date",
		"not_after":   "its end date",
		"missing":     "an intermediate certificate",
		"version":     "the TLS version",
		"size":        "the message's size",
		"limit":       "the limit",
		"greeting":    "what it says first",
		"detail":      "what was recorded",
		"app":         "the app",
		"now":         "the present time",
		"wait":        "some time",
		"list":        "the blocklist that the reply names",
		"link":        "the address in the reply",
		"suggestion":  "the provider's documented host name",
	}
}

var placeholder = regexp.MustCompile(`\{([a-z_]+)\}`)

// checkPlaceholders returns an error for each name in braces that nobody
// fills in.
func checkPlaceholders(where string, texts []string) (errs []error) {
	known := Placeholders()
	for _, text := range texts {
		for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
			if _, ok := known[m[1]]; !ok {
				errs = append(errs, fmt.Errorf("%s: unknown placeholder {%s}", where, m[1]))
			}
		}
	}
	return errs
}

// Fill replaces the placeholders of a text by what value knows of them, and
// those that it does not know by neutral words.
func Fill(text string, value func(name string) string) string {
	neutral := Placeholders()
	return placeholder.ReplaceAllStringFunc(text, func(m string) string {
		name := m[1 : len(m)-1]
		if v := value(name); v != "" {
			return v
		}
		return neutral[name]
	})
}
