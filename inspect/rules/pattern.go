package rules

import (
	"regexp"
	"sync"
)

// pattern is one text condition. The expression is compiled when it is first
// needed: most of a set's never are.
type pattern struct {
	needs    needs   // literals, as analyse found them
	clauses  [][]int // the same as numbers of the set's index
	length   int     // characters that every match has at least
	compiled func() *regexp.Regexp
}

func newPattern(source string) (*pattern, error) {
	needs, length, err := analyse(source)
	if err != nil {
		return nil, err
	}
	return &pattern{needs: needs, length: length, compiled: sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(source)
	})}, nil
}

// possible reports whether the words contain what every match does.
func (p *pattern) possible(present []bool) bool {
	for _, clause := range p.clauses {
		if !anyOf(clause, present) {
			return false
		}
	}
	return true
}

func anyOf(numbers []int, present []bool) bool {
	for _, n := range numbers {
		if present[n] {
			return true
		}
	}
	return false
}

// holds reports whether the words of a symptom match.
func (p *pattern) holds(s *Symptom) bool {
	return (s.present == nil || p.possible(s.present)) && p.compiled().MatchString(s.words)
}
