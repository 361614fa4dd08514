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
	short    map[string][]entry // the same for literals that are shorter than headSize
}

// headSize is the length of byHead's keys: long enough that few literals share
// one, short enough that most have one.
const headSize = 4

type entry struct {
	literal string
	number  int
}

// newIndex numbers the literals and writes the numbers into the patterns.
func newIndex(all []*Rule) index {
	x := index{literals: map[string]int{}, byHead: map[string][]entry{}, short: map[string][]entry{}}
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
			x.add(literal, n)
		}
		numbers = append(numbers, n)
	}
	return numbers
}

func (x *index) add(literal string, number int) {
	if len(literal) < headSize {
		head := literal[:minLiteral]
		x.short[head] = append(x.short[head], entry{literal, number})
		return
	}
	head := literal[:headSize]
	x.byHead[head] = append(x.byHead[head], entry{literal, number})
}

// present tells which literals the words contain.
func (x *index) present(words string) []bool {
	found := make([]bool, len(x.literals))
	mark := func(begin []entry, at string) {
		for _, e := range begin {
			if !found[e.number] && strings.HasPrefix(at, e.literal) {
				found[e.number] = true
			}
		}
	}
	for i := 0; i+minLiteral <= len(words); i++ {
		at := words[i:]
		mark(x.short[at[:minLiteral]], at)
		if len(at) >= headSize {
			mark(x.byHead[at[:headSize]], at)
		}
	}
	return found
}
