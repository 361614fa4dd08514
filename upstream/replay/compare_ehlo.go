package replay

import (
	"maps"
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// compareKeywords says what an EHLO reply offers no longer, newly or
// otherwise. Its first line, and the order of the others, mean nothing.
func (w wording) compareKeywords(a, b string) string {
	var changes []string
	for _, c := range w.keywordChanges(keywords(a), keywords(b)) {
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
func (w wording) keywordChanges(a, b map[string]string) (changes []Difference) {
	all := maps.Clone(a)
	maps.Copy(all, b)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		first, had := a[name]
		second, has := b[name]
		if had == has && first == second {
			continue
		}
		d := Difference{A: offer(name, first, had), B: offer(name, second, has)}
		switch {
		case !has:
			d.Why = w.gone + " " + d.A
		case !had:
			d.Why = w.come + " " + d.B
		case name == "AUTH":
			d.Why = w.mechanismChange(first, second)
		default:
			d.Why = "offers " + w.both(d.A, d.B)
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

// mechanismChange names the mechanisms that only one of two has.
func (w wording) mechanismChange(a, b string) string {
	var said []string
	if gone := without(a, b); gone != "" {
		said = append(said, w.gone+" AUTH "+gone)
	}
	if come := without(b, a); come != "" {
		said = append(said, w.come+" AUTH "+come)
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
