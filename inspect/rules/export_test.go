package rules

import "slices"

// ByHand returns the ids of the rules that match a symptom, sorted,
// found without the index: every expression is tried.
func (s *Set) ByHand(symptom Symptom) (ids []string) {
	symptom = s.prepare(symptom)
	symptom.present = nil
	for _, r := range s.rules {
		if _, ok := r.match(&symptom); ok {
			ids = append(ids, r.ID)
		}
	}
	slices.Sort(ids)
	return ids
}
