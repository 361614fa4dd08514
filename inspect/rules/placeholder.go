package rules

import (
	"fmt"
	"regexp"
	"strings"
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
// those that it does not know by neutral words. Behind the noun that it
// specifies, as in "the sender {from}", nothing is missing without them.
func Fill(text string, value func(name string) string) string {
	neutral := Placeholders()
	var out strings.Builder
	end := 0
	for _, m := range placeholder.FindAllStringSubmatchIndex(text, -1) {
		before, name := text[end:m[0]], text[m[2]:m[3]]
		end = m[1]
		switch v := value(name); {
		case v != "":
			out.WriteString(before + v)
		case endsInNoun(before):
			out.WriteString(strings.TrimSuffix(before, " "))
		default:
			out.WriteString(before + neutral[name])
		}
	}
	return out.String() + text[end:]
}

// endsInNoun reports whether a text ends in a word that says by itself what
// the next would name.
func endsInNoun(text string) bool {
	text, blank := strings.CutSuffix(text, " ")
	word := strings.ToLower(text[strings.LastIndexAny(text, " (")+1:])
	switch word {
	case "account", "address", "domain", "mailbox", "name", "recipient", "sender", "smarthost":
		return blank
	}
	return false
}
