package replay

import (
	"strings"

	"smtp-proxy/proxy/wire"
)

// compareSoftware compares what two greetings say of the software. Clock, name
// of the node, session and the number of a version are not the software.
func (w wording) compareSoftware(a, b string) string {
	a, b = softwareOf(a), softwareOf(b)
	if a == b {
		return ""
	}
	return "other software: " + w.differing(a, b)
}

// softwareOf is what stays of a greeting: its words without the first, which
// is the host's name (RFC 5321, section 4.2), and without all that has digits
// or was replaced.
func softwareOf(greeting string) string {
	text := greeting
	if r, ok := wire.ParseReply(greeting); ok {
		text = body(r)
	}
	_, text, _ = strings.Cut(Normal(text), " ")
	var words []string
	for _, w := range strings.Fields(strings.ToLower(text)) {
		if !strings.ContainsAny(w, "{}0123456789") {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}
