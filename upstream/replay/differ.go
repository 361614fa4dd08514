package replay

import (
	"cmp"
	"slices"
)

// Difference is one thing in which two sessions do not mean the same. Its
// texts may hold anything that a peer sent.
type Difference struct {
	Rank  Rank
	Where string // what was compared: "EHLO under TLS", "certificate", "RCPT TO:<b@example.net>" …
	A, B  string // what either showed; empty where it showed nothing
	Why   string // in words, for a person
}

// Rank is how much a difference says of why two sessions went their own ways;
// the least rank comes first.
type Rank uint8

// The ranks.
const (
	RankVerdict Rank = iota // what became of the sessions, and why
	RankRefused             // one was answered well, the other not, or a leg broke
	RankReach               // look-ups, addresses
	RankTLS                 // either leg
	RankOffer               // greeting, EHLO keywords
	RankSignIn              // mechanism, user
	RankSaid                // what the app said
	RankReplied             // what was answered, as good or as bad
	RankMessage             // size, subject
	RankEdit                // what the proxy changed, and what it found unusual
	RankTime                // what took longer
)

// Diff compares two sessions by their meaning, the most telling first. It is
// empty for the same mail sent twice.
func Diff(a, b Recording) []Difference {
	var all []Difference
	for _, compare := range []func(a, b Recording) []Difference{
		diffReach, diffTLS, diffOffers, diffSignIn, diffTalk, diffFaults, diffEdits,
	} {
		all = append(all, compare(a, b)...)
	}
	Order(all)
	return all
}

// Order puts the most telling differences first, and keeps the order of those
// that say as much.
func Order(all []Difference) {
	slices.SortStableFunc(all, func(x, y Difference) int { return cmp.Compare(x.Rank, y.Rank) })
}

// facts are named texts of one session, in the order in which they are to be
// compared.
type facts []fact

type fact struct{ where, text string }

func (f facts) of(where string) string {
	for _, one := range f {
		if one.where == where {
			return one.text
		}
	}
	return ""
}

// compareFacts lists the texts that differ. What only one has got is told.
func compareFacts(rank Rank, a, b facts) (all []Difference) {
	told := map[string]bool{}
	for _, one := range append(slices.Clone(a), b...) {
		if told[one.where] {
			continue
		}
		told[one.where] = true
		if x, y := a.of(one.where), b.of(one.where); x != y {
			all = append(all, Difference{rank, one.where, x, y, otherwise(x, y)})
		}
	}
	return all
}

func otherwise(a, b string) string {
	switch {
	case a == "":
		return "only in the second"
	case b == "":
		return "only in the first"
	}
	return "not the same"
}

// compareSets lists what is in one set and not in the other. Order and number
// mean nothing.
func compareSets(rank Rank, where string, a, b []string) (all []Difference) {
	for _, one := range compacted(a) {
		if !slices.Contains(b, one) {
			all = append(all, Difference{rank, where, one, "", "only in the first"})
		}
	}
	for _, one := range compacted(b) {
		if !slices.Contains(a, one) {
			all = append(all, Difference{rank, where, "", one, "only in the second"})
		}
	}
	return all
}

// mostListed bounds what is compared of a session's notes and attempts.
const mostListed = 1000

func compacted(texts []string) (once []string) {
	for _, text := range texts {
		if !slices.Contains(once, text) {
			once = append(once, text)
		}
	}
	return once
}
