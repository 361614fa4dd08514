package diagnose

import (
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
)

// again says when the answer was had that speaks against a failure: one that is
// remembered may be a minute older than the session.
func again(answer *session.Entry) string {
	if answer.Probe.Cached {
		return "Asked for another session, within a minute of this one"
	}
	return "Asked once more"
}

// listed joins names as a sentence does.
func listed(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}

// verb puts a verb behind one or several.
func verb(subjects []string, one, many string) string {
	if len(subjects) == 1 {
		return one
	}
	return many
}

// words say how each port answered.
func (p *ports) words() string {
	var parts []string
	for _, answer := range []struct{ result, one, many string }{
		{"ok", "answers", "answer"}, {"refused", "refuses", "refuse"}, {"", "is silent", "are silent"}, {"unreachable", "has no route", "have no route"},
	} {
		var like []string
		for _, found := range p.answer.Probe.Found {
			if found.Result == answer.result || answer.result == "" && !slices.Contains([]string{"ok", "refused", "unreachable"}, found.Result) {
				like = append(like, found.What)
			}
		}
		switch {
		case len(like) == 1:
			parts = append(parts, like[0]+" "+answer.one)
		case len(like) > 1:
			parts = append(parts, listed(like)+" "+answer.many)
		}
	}
	return "port " + strings.Join(parts, ", ")
}
