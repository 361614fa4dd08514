package replay

import (
	"fmt"
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
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
	if strings.EqualFold(Normal(then), Normal(now)) {
		return ""
	}
	return "other words: " + wordsOf(then) + " then, " + wordsOf(now) + " now"
}

// wordsOf is the text of a reply on one line, less its codes.
func wordsOf(text string) string {
	if r, ok := wire.ParseReply(text); ok {
		text = body(r)
	}
	return quote(strings.Join(strings.Fields(text), " "))
}
