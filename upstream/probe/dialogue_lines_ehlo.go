package probe

import (
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream"
)

// offered says what a reply to EHLO has on offer: the second one of a session
// by what it changes.
func (l *ladder) offered(e *session.Entry, good bool) {
	switch {
	case !good && e.Verb == "EHLO" && beforeEHLO(e.Code):
		l.line(partEHLO, StatusWarn, e.Wait, inLine(oneLine(e.Text))+": it is from before EHLO; going on with HELO, which has neither TLS nor a sign-in")
		return
	case !good:
		l.verdict(partEHLO, e, false)
		return
	}
	before := l.offers
	l.offers = keywordsOf(e.Text)
	text := "in clear: " + allOf(l.offers)
	switch {
	case l.secure && before == nil:
		text = "under TLS: " + allOf(l.offers)
	case l.secure:
		text = "under TLS: " + changesOf(before, l.offers)
	}
	l.line(partEHLO, StatusOK, e.Wait, inLine(text))
	if !e.Own && !l.secure {
		l.inClear()
	}
}

// keywordsOf lists what a reply to EHLO offers, each with its parameters.
func keywordsOf(reply string) (keywords []string) {
	for _, line := range strings.Split(reply, "\n")[1:] {
		if _, _, text, ok := wire.ReplyLine([]byte(line)); ok {
			keywords = append(keywords, strings.TrimSpace(string(text)))
		}
	}
	return keywords
}

func allOf(keywords []string) string {
	return orElse(strings.Join(keywords, ", "), "nothing beyond plain SMTP")
}

// changesOf tells one offer from another.
func changesOf(before, after []string) string {
	gone := beyond(before, after)
	come := beyond(after, before)
	switch {
	case len(gone)+len(come) == 0:
		return "the same on offer"
	case len(come) == 0:
		return "the same on offer, less " + strings.Join(gone, ", ")
	case len(gone) == 0:
		return "the same on offer, and " + strings.Join(come, ", ")
	}
	return "now on offer " + strings.Join(come, ", ") + "; no longer " + strings.Join(gone, ", ")
}

// beyond is what one list has that the other lacks.
func beyond(one, other []string) (list []string) {
	for _, word := range one {
		if !slices.Contains(other, word) {
			list = append(list, word)
		}
	}
	return list
}

// inClear says why the session stays without TLS. Where the settings demand
// it, the session ends here and says so itself.
func (l *ladder) inClear() {
	switch l.d.target.Mode {
	case upstream.ModeNone:
		l.line(partSTARTTLS, StatusSkip, 0, "not asked for (--upstream-tls none): all of the session is in clear")
	case upstream.ModeAuto:
		l.line(partSTARTTLS, StatusWarn, 0, "not on offer: all of the session is in clear")
	}
}
