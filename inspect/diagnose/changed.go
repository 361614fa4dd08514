package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"smtp-proxy/inspect"
)

// change is one thing that is new since the last session that worked.
type change struct {
	text     string   // names the old value and the new
	explains []string // causes; one that ends in "." or "-" stands for all that begin so
}

// facet is one thing in which sessions are compared: an entry of facets.
type facet struct {
	of   func(*profile) string // empty: not known
	same func(a, b string) bool
	tell func(old, new *profile) []change
}

// maxValues is how many values a facet may have had in good sessions. One that
// had more varies by nature, as host names of containers do.
const maxValues = 4

// maxTelling bounds the changes in an explanation; all stand in the list.
const maxTelling = 4

// changed puts what is new into the first finding, and into its explanation
// what of it explains the failure; further findings get only the latter.
func (p *past) changed(findings []inspect.Finding, s *inspect.Session) {
	now := profileOf(s)
	since, all := p.changes(now)
	for i := range findings {
		f := &findings[i]
		telling, rest := sortOut(all, f.Cause)
		if len(telling) > 0 {
			f.Explanation = since + strings.Join(telling[:min(len(telling), maxTelling)], "; ") + ". " + f.Explanation
		}
		f.Changed = telling
		if i == 0 {
			f.Changed = append(f.Changed, rest...)
		}
	}
}

// changes compares a session with the good ones. since introduces the result.
func (p *past) changes(now *profile) (since string, all []change) {
	if len(p.good) == 0 {
		return p.moved(now)
	}
	good := slices.Clone(p.good)
	slices.SortStableFunc(good, func(a, b *profile) int { return b.at.Compare(a.at) })
	for _, x := range facets() {
		if old := x.before(good, now); old != nil {
			all = append(all, x.tell(old, now)...)
		}
	}
	all = withoutRepeats(append(all, p.larger(now)...))
	return fmt.Sprintf("New since the last session that worked (%s): ", day(good[0].at)), all
}

// withoutRepeats drops what was said already: EHLO replies in clear and under
// TLS change alike.
func withoutRepeats(all []change) (once []change) {
	for _, c := range all {
		if !slices.ContainsFunc(once, func(o change) bool { return o.text == c.text }) {
			once = append(once, c)
		}
	}
	return once
}

// before returns the latest good session, if now differs from all of them in
// this facet.
func (x facet) before(good []*profile, now *profile) (old *profile) {
	value := x.of(now)
	if value == "" {
		return nil
	}
	var values []string
	for _, p := range good {
		v := x.of(p)
		switch {
		case v == "" || slices.Contains(values, v):
			continue
		case v == value || x.same != nil && x.same(v, value):
			return nil
		}
		if values = append(values, v); len(values) > maxValues {
			return nil
		}
		if old == nil {
			old = p
		}
	}
	return old
}

// sortOut tells the changes that explain a cause from the rest.
func sortOut(all []change, cause string) (telling, rest []string) {
	for _, c := range all {
		if slices.ContainsFunc(c.explains, func(p string) bool { return covers(p, cause) }) {
			telling = append(telling, c.text)
		} else {
			rest = append(rest, c.text)
		}
	}
	return telling, rest
}

func covers(pattern, cause string) bool {
	if strings.HasSuffix(pattern, ".") || strings.HasSuffix(pattern, "-") {
		return strings.HasPrefix(cause, pattern)
	}
	return pattern == cause
}
