package rules

import (
	"slices"
	"strings"
)

// index knows every literal of every pattern. One walk over a reply's words
// tells which of them are present; what a pattern needs is then a look into
// a table, and few expressions have to be tried.
type index struct {
	literals map[string]int     // literal -> its number
	byHead   map[string][]entry // the first octets of a literal -> those that begin so
}

type entry struct {
	literal string
	number  int
}

// newIndex numbers the literals and writes the numbers into the patterns.
func newIndex(all []*Rule) index {
	x := index{literals: map[string]int{}, byHead: map[string][]entry{}}
	for _, r := range all {
		for _, p := range slices.Concat(r.any, r.all, r.not) {
			p.clauses = nil
			for _, clause := range p.needs {
				p.clauses = append(p.clauses, x.numbers(clause))
			}
		}
	}
	return x
}

func (x *index) numbers(clause []string) (numbers []int) {
	for _, literal := range clause {
		n, known := x.literals[literal]
		if !known {
			n = len(x.literals)
			x.literals[literal] = n
			head := literal[:minLiteral]
			x.byHead[head] = append(x.byHead[head], entry{literal, n})
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// present tells which literals the words contain.
func (x *index) present(words string) []bool {
	found := make([]bool, len(x.literals))
	for i := 0; i+minLiteral <= len(words); i++ {
		for _, e := range x.byHead[words[i:i+minLiteral]] {
			if !found[e.number] && strings.HasPrefix(words[i:], e.literal) {
				found[e.number] = true
			}
		}
	}
	return found
}
