package diagnose

import (
	"slices"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/proxy/session"
)

// symptom is one thing that went wrong, not yet worded for people.
type symptom struct {
	cause     string
	certainty inspect.Certainty
	evidence  []*session.Entry
	rule      *rules.Rule       // the rule that read the reply, if one did
	by        string            // the rule or detector
	values    map[string]string // placeholders that only this symptom can fill
	code      int               // of the reply, for advice on sending again
	text      string            // the reply's words, for the same
	title     string            // instead of the cause's
	side      string            // who has to act, instead of the cause's
	what      string            // instead of the cause's explanation
	more      string            // behind the explanation
	fix       []string          // instead of the cause's steps
	first     []string          // steps ahead of those
	weight    int               // the larger, the nearer to the root of the trouble
}

// The weights of families: what comes first in a session is the root of what
// comes later.
const (
	weightProxy    = 100
	weightNetwork  = 90
	weightTLS      = 80
	weightProtocol = 60
	weightReply    = 50
	weightClose    = 30
)

// maxEvidence bounds the entries that one finding points at.
const maxEvidence = 50

// merge makes one symptom of those that share a cause: a hundred refused
// recipients are one finding. A rule's words are better than a detector's.
func merge(all []symptom) (merged []symptom) {
	for _, s := range all {
		i := slices.IndexFunc(merged, func(m symptom) bool { return m.cause == s.cause })
		if i < 0 {
			merged = append(merged, s)
			continue
		}
		m := &merged[i]
		if m.rule == nil && s.rule != nil && m.what == "" {
			m.rule, m.by, m.values = s.rule, s.by, s.values
		}
		m.weight = max(m.weight, s.weight)
		if doubt(s.certainty) < doubt(m.certainty) || s.certainty == inspect.Certain {
			m.certainty = s.certainty
		}
		m.evidence = appendEvidence(m.evidence, s.evidence)
	}
	return merged
}

// appendEvidence adds entries that are not there yet, as far as there is room.
func appendEvidence(to, more []*session.Entry) []*session.Entry {
	for _, e := range more {
		if len(to) < maxEvidence && !slices.Contains(to, e) {
			to = append(to, e)
		}
	}
	return to
}

// rank puts the roots first, then what is more than possible, then what came
// first.
func rank(all []symptom) []symptom {
	slices.SortStableFunc(all, func(a, b symptom) int {
		if a.weight != b.weight {
			return b.weight - a.weight
		}
		return doubt(a.certainty) - doubt(b.certainty)
	})
	return all
}

func doubt(c inspect.Certainty) int {
	if c == inspect.Possible {
		return 1
	}
	return 0
}

// oneOf returns a symptom with a single entry as evidence, for the common
// case that a fact proves a cause.
func oneOf(cause string, weight int, e *session.Entry) symptom {
	s := symptom{cause: cause, certainty: inspect.Certain, weight: weight}
	if e != nil {
		s.evidence = []*session.Entry{e}
	}
	return s
}
