package rules

import (
	"fmt"
	"regexp/syntax"
	"unicode"
)

// Which literals a text must contain to match an expression: the prefilter
// that spares a reply the hundreds of expressions it cannot match.

// maxLiterals bounds the list that one part of an expression may give.
const maxLiterals = 40

// minLiteral is the length of the shortest literal that the index keeps.
const minLiteral = 2

// needs lists what every match contains: of each clause, one literal at
// least.
type needs [][]string

// analyse parses an expression and returns what every match contains, and
// the least length of a match.
func analyse(source string) (needs, int, error) {
	re, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return nil, 0, err
	}
	if r, found := upper(re); found {
		return nil, 0, fmt.Errorf("upper-case %q never matches: replies are compared in lower case", r)
	}
	var clauses needs
	for _, clause := range required(re).clauses {
		if shortest(clause) >= minLiteral {
			clauses = append(clauses, clause)
		}
	}
	return clauses, leastLength(re), nil
}

// upper finds a literal letter that lower-cased text cannot have.
func upper(re *syntax.Regexp) (rune, bool) {
	if re.Op == syntax.OpLiteral {
		for _, r := range re.Rune {
			if unicode.IsUpper(r) {
				return r, true
			}
		}
	}
	for _, sub := range re.Sub {
		if r, found := upper(sub); found {
			return r, true
		}
	}
	return 0, false
}

// part is what is known of one part of an expression: exact is the complete
// list of its matches (nil when there is none), clauses what each contains.
type part struct {
	exact   []string
	clauses needs
}

func required(re *syntax.Regexp) part {
	switch re.Op {
	case syntax.OpLiteral:
		return exactly([]string{string(re.Rune)})
	case syntax.OpEmptyMatch, syntax.OpBeginText, syntax.OpEndText, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpWordBoundary:
		return part{exact: []string{""}}
	case syntax.OpCharClass:
		return exactly(smallClass(re))
	case syntax.OpCapture:
		return required(re.Sub[0])
	case syntax.OpPlus:
		return part{clauses: required(re.Sub[0]).clauses}
	case syntax.OpRepeat:
		if re.Min > 0 {
			return part{clauses: required(re.Sub[0]).clauses}
		}
	case syntax.OpQuest:
		if sub := required(re.Sub[0]); len(sub.exact) > 0 && len(sub.exact) < maxLiterals {
			return part{exact: append([]string{""}, sub.exact...)}
		}
	case syntax.OpAlternate:
		return alternate(re.Sub)
	case syntax.OpConcat:
		return concat(re.Sub)
	}
	return part{}
}

func exactly(list []string) part {
	if shortest(list) == 0 {
		return part{exact: list}
	}
	return part{exact: list, clauses: needs{list}}
}

// smallClass spells out a class of few characters, such as [ae].
func smallClass(re *syntax.Regexp) (list []string) {
	for i := 0; i+1 < len(re.Rune); i += 2 {
		for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
			if list = append(list, string(r)); len(list) > 4 {
				return nil
			}
		}
	}
	return list
}

// alternate joins the best clause of each branch; a branch of which nothing
// is known spoils it.
func alternate(subs []*syntax.Regexp) (all part) {
	var either []string
	exact, known := true, true
	for _, sub := range subs {
		p := required(sub)
		exact = exact && len(p.exact) > 0
		all.exact = append(all.exact, p.exact...)
		best := p.clauses.best()
		known = known && best != nil
		either = append(either, best...)
	}
	if !exact || len(all.exact) > maxLiterals {
		all.exact = nil
	}
	if known && shortest(either) > 0 {
		all.clauses = needs{either}
	}
	return all
}

// best returns the clause whose shortest literal is longest.
func (n needs) best() (best []string) {
	for _, clause := range n {
		if shortest(clause) > shortest(best) {
			best = clause
		}
	}
	return best
}

// concat spells out runs of neighbours as long as the list stays short; each
// run is a clause.
func concat(subs []*syntax.Regexp) (all part) {
	run, whole := []string{""}, true
	end := func() {
		if shortest(run) > 0 {
			all.clauses = append(all.clauses, run)
		}
		run = []string{""}
	}
	for _, sub := range subs {
		p := required(sub)
		if joined := cross(run, p.exact); joined != nil {
			run = joined
			continue
		}
		whole = false
		end()
		if len(p.exact) > 0 {
			run = p.exact
		} else {
			all.clauses = append(all.clauses, p.clauses...)
		}
	}
	if whole {
		all.exact = run
	}
	end()
	return all
}

// cross returns every left side with every right side, nil when there are
// none or too many.
func cross(left, right []string) (all []string) {
	if len(right) == 0 || len(left)*len(right) > maxLiterals {
		return nil
	}
	for _, l := range left {
		for _, r := range right {
			all = append(all, l+r)
		}
	}
	return all
}

// shortest returns the length of the shortest member, 0 for an empty list.
func shortest(list []string) int {
	if len(list) == 0 {
		return 0
	}
	n := len(list[0])
	for _, l := range list[1:] {
		n = min(n, len(l))
	}
	return n
}

// leastLength counts the characters that every match has at least.
func leastLength(re *syntax.Regexp) (n int) {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return leastLength(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min * leastLength(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			n += leastLength(sub)
		}
		return n
	case syntax.OpAlternate:
		n = leastLength(re.Sub[0])
		for _, sub := range re.Sub[1:] {
			n = min(n, leastLength(sub))
		}
	}
	return n
}
