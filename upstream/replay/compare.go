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
func Compare(recorded, now session.Entry) (why string) {
	then, is := status(recorded), status(now)
	switch {
	case recorded.Text == now.Text && then == is:
		return ""
	case then != is:
		return then + " then, " + is + " now"
	case recorded.Verb == "EHLO" && recorded.Code == 250:
		return compareKeywords(recorded.Text, now.Text)
	case recorded.Kind == session.KindGreeting && recorded.Code == 220:
		return compareSoftware(recorded.Text, now.Text)
	case recorded.Code >= 400 || recorded.Code == 0:
		return compareWords(recorded.Text, now.Text)
	}
	return ""
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

func compareWords(then, now string) string {
	a, b := Normal(then), Normal(now)
	if strings.EqualFold(a, b) {
		return ""
	}
	return "other words: " + differing(a, b)
}

// differing shows those words of two texts with which they begin and end to
// differ.
func differing(then, now string) string {
	a, b := strings.Fields(then), strings.Fields(now)
	for len(a) > 0 && len(b) > 0 && strings.EqualFold(a[0], b[0]) {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && strings.EqualFold(a[len(a)-1], b[len(b)-1]) {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return excerpt(a) + " then, " + excerpt(b) + " now"
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
