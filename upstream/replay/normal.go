package replay

import (
	"strings"

	"smtp-proxy/proxy/wire"
)

// What stands in the place of that which differs each time.
const (
	anID   = "{id}"
	aTime  = "{time}"
	anIP   = "{ip}"
	anAddr = "{addr}"
	aHost  = "{host}"
	aCount = "{n}"
)

// mostNormal bounds the text that is normalised, in octets; longer ones are
// left as they are. Replies of a dozen lines have a tenth of it.
const mostNormal = 16 << 10

// mostPasses bounds the work on one text. Two are usual, one to replace and one
// to find that nothing is left.
const mostPasses = 16

// Normal returns a reply's text less what differs from one time to the next
// and has no meaning: ids of queues, sessions and messages, dates, addresses,
// names of hosts, and how a text was broken into lines. Codes, limits, delays,
// blocklists and links to help stay. Normal of its own result is the same.
func Normal(text string) string {
	if len(text) > mostNormal {
		return text
	}
	for range mostPasses {
		before := text
		text = unvary(unfold(text))
		if text == before {
			break
		}
	}
	return text
}

// unfold makes one line of a reply, with its codes once, at the front. What is
// no reply is text.
func unfold(text string) string {
	if r, ok := wire.ParseReply(text); ok {
		text = status(entryOf(r)) + " " + body(r)
	}
	return strings.Join(strings.Fields(text), " ")
}

// body is the text of a reply in one line, less the enhanced code that most
// servers repeat on each.
func body(r wire.Reply) string {
	var parts []string
	for _, line := range r.Lines {
		line = strings.TrimSpace(line)
		if r.Enhanced != "" {
			if rest, ok := strings.CutPrefix(line, r.Enhanced); ok && wire.Enhanced(r.Code, []byte(line)) == r.Enhanced {
				line = strings.TrimSpace(rest)
			}
		}
		parts = append(parts, line)
	}
	return strings.Join(parts, " ")
}
