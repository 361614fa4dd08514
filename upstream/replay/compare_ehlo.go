package replay

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// compareKeywords says what an EHLO reply offers no longer, newly or
// otherwise. Its first line, and the order of the others, mean nothing.
func compareKeywords(then, now string) string {
	var changes []string
	for _, c := range keywordChanges(keywords(then), keywords(now)) {
		changes = append(changes, c.Why)
	}
	if len(changes) == 0 {
		return ""
	}
	return "EHLO " + strings.Join(changes, ", ")
}

// keywords are those of an EHLO reply's text, with their parameters.
func keywords(reply string) map[string]string {
	found := map[string]string{}
	for i, line := range strings.Split(reply, "\n") {
		if _, _, text, ok := wire.ReplyLine([]byte(line)); ok && i > 0 {
			name, params := wire.Keyword(text)
			if name == "AUTH" { // both forms of it in one reply are usual
				params = strings.TrimSpace(found[name] + " " + params)
			}
			found[name] = parameters(params)
		}
	}
	delete(found, "")
	return found
}

// parameters puts a keyword's parameters, of which the order means nothing,
// into one.
func parameters(params string) string {
	fields := strings.Fields(strings.ToUpper(params))
	slices.Sort(fields)
	return strings.Join(slices.Compact(fields), " ")
}

// keywordChanges lists the differences of two sets of keywords.
func keywordChanges(then, now map[string]string) []Difference {
	all := maps.Clone(then)
	maps.Copy(all, now)
	var changes []Difference
	for _, name := range slices.Sorted(maps.Keys(all)) {
		before, had := then[name]
		after, has := now[name]
		d := Difference{A: offer(name, before, had), B: offer(name, after, has)}
		switch {
		case !has:
			d.Why = "no longer offers " + d.A
		case !had:
			d.Why = "newly offers " + d.B
		case name == "AUTH" && before != after:
			d.Why = mechanismChange(before, after)
		case before != after:
			d.Why = fmt.Sprintf("offers %s then, %s now", d.A, d.B)
		default:
			continue
		}
		changes = append(changes, d)
	}
	return changes
}

func offer(name, params string, has bool) string {
	if !has {
		return ""
	}
	return strings.TrimSpace(name + " " + params)
}

// mechanismChange names the mechanisms that have gone and come.
func mechanismChange(then, now string) string {
	gone, come := without(then, now), without(now, then)
	var said []string
	if gone != "" {
		said = append(said, "no longer offers AUTH "+gone)
	}
	if come != "" {
		said = append(said, "newly offers AUTH "+come)
	}
	return strings.Join(said, ", ")
}

// without returns the words of a that b has not.
func without(a, b string) string {
	has := strings.Fields(b)
	return strings.Join(slices.DeleteFunc(strings.Fields(a), func(w string) bool { return slices.Contains(has, w) }), " ")
}

func entryOf(r wire.Reply) session.Entry {
	return session.Entry{Code: r.Code, Enhanced: r.Enhanced, Text: r.Text()}
}
