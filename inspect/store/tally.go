package store

import (
	"cmp"
	"context"
	"slices"

	"smtp-proxy/inspect"
)

// Tally counts the sessions that a filter selects.
type Tally struct {
	All      int
	Outcomes map[inspect.Outcome]int
	Causes   []CauseCount // the most frequent first
	Bounded  bool         // there are more than were counted
}

// CauseCount is how many sessions have a cause among their findings.
type CauseCount struct {
	Cause string
	N     int
}

// Tally counts sessions by outcome and by cause, the newest first and no more
// than most; 0 counts all of them.
func (s *Store) Tally(ctx context.Context, f inspect.Filter, most int) (Tally, error) {
	t := Tally{Outcomes: map[inspect.Outcome]int{}}
	causes := map[string]int{}
	err := s.Sessions(ctx, f, most, func(v *inspect.Session) error {
		t.All++
		t.Outcomes[v.Outcome]++
		for i := range v.Findings {
			causes[v.Findings[i].Cause]++
		}
		return nil
	})
	t.Bounded = most > 0 && t.All == most
	t.Causes = ranked(causes)
	return t, err
}

func ranked(causes map[string]int) []CauseCount {
	list := make([]CauseCount, 0, len(causes))
	for cause, n := range causes {
		list = append(list, CauseCount{cause, n})
	}
	slices.SortFunc(list, func(a, b CauseCount) int { return cmp.Or(b.N-a.N, cmp.Compare(a.Cause, b.Cause)) })
	return list
}
