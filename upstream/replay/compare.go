package replay

import (
	"fmt"
	"strings"

	"smtp-proxy/proxy/session"
)

// Compare says in a few words why two replies do not mean the same; it is
// empty when they do. Of an EHLO reply the keywords and their parameters have
// a meaning, of a greeting the software that greets, of a refusal its words
// less what differs each time ([Normal]), of all others the codes alone.
//
// The words are those of the peers and may hold anything that they sent.
func Compare(recorded, now session.Entry) (why string) { return anew.compare(recorded, now) }

// wording is what the two sides of a comparison are called.
type wording struct {
	first, second string // behind what either showed
	gone, come    string // before what the one alone offers
}

// The comparisons: of a session with its repetition, and of two as good.
var (
	anew       = wording{"then", "now", "no longer offers", "newly offers"}
	sideBySide = wording{"in the first", "in the second", "only in the first:", "only in the second:"}
)

func (w wording) compare(a, b session.Entry) string {
	x, y := status(a), status(b)
	switch {
	case a.Text == b.Text && x == y:
		return ""
	case x != y:
		return w.both(x, y)
	case a.Verb == "EHLO" && a.Code == 250:
		return w.compareKeywords(a.Text, b.Text)
	case a.Kind == session.KindGreeting && a.Code == 220:
		return w.compareSoftware(a.Text, b.Text)
	case a.Code >= 400 || a.Code == 0:
		return w.compareWords(a.Text, b.Text)
	}
	return ""
}

func (w wording) both(a, b string) string {
	return fmt.Sprintf("%s %s, %s %s", a, w.first, b, w.second)
}

// status is the code of a reply with its enhanced code.
func status(e session.Entry) string {
	switch {
	case e.Code == 0 && e.Text == "":
		return "no reply"
	case e.Code == 0:
		return "no code"
	}
	return strings.TrimSpace(fmt.Sprintf("%03d %s", e.Code, e.Enhanced))
}

func (w wording) compareWords(a, b string) string {
	a, b = Normal(a), Normal(b)
	if strings.EqualFold(a, b) {
		return ""
	}
	return "other words: " + w.differing(a, b)
}

// differing shows those words of two texts with which they begin and end to
// differ.
func (w wording) differing(first, second string) string {
	a, b := strings.Fields(first), strings.Fields(second)
	for len(a) > 0 && len(b) > 0 && strings.EqualFold(a[0], b[0]) {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && strings.EqualFold(a[len(a)-1], b[len(b)-1]) {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return w.both(excerpt(a), excerpt(b))
}

// Each of the texts that a comparison quotes has at most so much.
const (
	mostWords  = 12
	mostQuoted = 160 // octets
)

func excerpt(words []string) string {
	switch {
	case len(words) == 0:
		return "nothing"
	case len(words) > mostWords:
		words = append(words[:mostWords:mostWords], "…")
	}
	text := strings.Join(words, " ")
	if len(text) > mostQuoted {
		text = strings.ToValidUTF8(text[:mostQuoted], "") + "…"
	}
	return `"` + text + `"`
}
