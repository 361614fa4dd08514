package rules

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Match returns the rules whose conditions all hold, the most specific first.
func (s *Set) Match(symptom Symptom) []*Rule {
	symptom = s.prepare(symptom)
	type hit struct {
		rule   *Rule
		points int
	}
	var hits []hit
	for _, r := range s.rules {
		if points, ok := r.match(&symptom); ok {
			hits = append(hits, hit{r, points})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(b.points-a.points, strings.Compare(a.rule.ID, b.rule.ID))
	})
	best := make([]*Rule, len(hits))
	for i, h := range hits {
		best[i] = h.rule
	}
	return best
}

// prepare fills in what conditions need and what nobody but the set knows.
func (s *Set) prepare(symptom Symptom) Symptom {
	symptom = s.read(symptom)
	symptom.present = s.index.present(symptom.words)
	return symptom
}

// read is prepare without the index: for few rules it is not worth its cost.
func (s *Set) read(symptom Symptom) Symptom {
	symptom.Event = cmp.Or(symptom.Event, EventReply)
	symptom.words = replyWords(symptom.Text)
	if symptom.Event == EventError {
		symptom.words = Words(symptom.Text)
	}
	symptom.said = s.saidBy(symptom.words)
	return symptom
}

// Points tells how specific a rule is when it matches a symptom; 0 when it
// does not match. It is the sum of:
//
//	words     150, and 1 for each character (60 at most) that the matching
//	          expression needs; 30 for each further expression in All
//	provider   80
//	enhanced   60 for a complete code; 40 more when its last part has three
//	          digits (such numbers are one vendor's own); 20 for "x.1.1",
//	          where the class is open, 10 for "5.1.*"
//	context    25 each for conditions on AUTH, mechanism, TLS, phase, verb
//	code       12 for a complete one, 4 for a class
//	family     20 for a rule outside generic/: it knows one peer's own words
//
// less 50 for a broad rule and 200 for a vague one. So a rule that knows the
// words beats one that knows the code, whoever names the reason itself beats
// whoever names what often stands beside it, and any reason beats a symptom.
func (s *Set) Points(r *Rule, symptom Symptom) int {
	symptom = s.prepare(symptom)
	points, _ := r.match(&symptom)
	return points
}

const (
	pointsWords    = 150
	pointsLength   = 60 // at most, for the characters needed
	pointsAll      = 30
	pointsProvider = 80
	pointsEnhanced = 60
	pointsVendor   = 40
	pointsOpen     = 20
	pointsSubject  = 10
	pointsContext  = 25
	pointsCode     = 12
	pointsClass    = 4
	pointsFamily   = 20
	pointsBroad    = -50
	pointsVague    = -200
)

// match adds up the points of a rule. The words come last: they cost most.
func (r *Rule) match(s *Symptom) (points int, ok bool) {
	w := &r.When
	if !eventHolds(w.Event, s.Event) {
		return 0, false
	}
	code, ok1 := codeHolds(w.Code, s.Code)
	enhanced, ok2 := enhancedHolds(w.Enhanced, s.Enhanced)
	if !ok1 || !ok2 {
		return 0, false
	}
	provider, ok1 := providerHolds(w.Provider, s)
	context, ok2 := contextHolds(w, s)
	if !ok1 || !ok2 {
		return 0, false
	}
	words, ok := r.wordsHold(s)
	points = code + enhanced + provider + context + words
	if r.Family() != "generic" {
		points += pointsFamily
	}
	if w.Broad {
		points += pointsBroad
	}
	if w.Vague {
		points += pointsVague
	}
	return points, ok
}

// contextHolds adds up the conditions on where in a session the reply stands.
func contextHolds(w *When, s *Symptom) (points int, ok bool) {
	for _, c := range [...]struct {
		want  []string
		value string
	}{{w.Phase, s.Phase}, {w.Verb, s.Verb}, {w.Auth, s.Auth}, {w.Mechanism, s.Mechanism}, {w.TLS, s.TLS}} {
		if len(c.want) == 0 {
			continue
		}
		if !slices.Contains(c.want, c.value) {
			return 0, false
		}
		points += pointsContext
	}
	return points, true
}

func eventHolds(want []string, event string) bool {
	if len(want) == 0 {
		return event == EventReply
	}
	return slices.Contains(want, event)
}

func codeHolds(want []string, code int) (int, bool) {
	if len(want) == 0 {
		return 0, true
	}
	digits := strconv.Itoa(code)
	if slices.Contains(want, digits) {
		return pointsCode, true
	}
	return pointsClass, slices.Contains(want, digits[:1]+"xx")
}

// enhancedHolds takes the best of the codes that fit.
func enhancedHolds(want []string, code string) (best int, ok bool) {
	if len(want) == 0 {
		return 0, true
	}
	for _, w := range want {
		if points, fits := enhancedFits(w, code); fits {
			best, ok = max(best, points), true
		}
	}
	return best, ok
}

func enhancedFits(want, code string) (points int, ok bool) {
	a, b := strings.Split(want, "."), strings.Split(code, ".")
	if len(a) != 3 || len(b) != 3 {
		return 0, false
	}
	points = pointsEnhanced
	for i := range a {
		switch {
		case a[i] == b[i]:
		case i == 0 && a[i] == "x":
			points = pointsOpen
		case i > 0 && (a[i] == "*" || a[i] == "x"):
			return pointsSubject, i == 2 || a[2] == "*" || a[2] == "x"
		default:
			return 0, false
		}
	}
	if len(a[2]) == 3 {
		points += pointsVendor
	}
	return points, true
}

func providerHolds(want []string, s *Symptom) (int, bool) {
	if len(want) == 0 {
		return 0, true
	}
	return pointsProvider, slices.Contains(want, s.Provider) || slices.Contains(want, s.said)
}

// wordsHold takes the longest of the alternatives that match.
func (r *Rule) wordsHold(s *Symptom) (points int, ok bool) {
	ok = len(r.any) == 0
	for _, p := range r.any {
		if n := pointsWords + min(p.length, pointsLength); n > points && p.holds(s) {
			points, ok = n, true
		}
	}
	for _, p := range r.all {
		if !p.holds(s) {
			return 0, false
		}
		points += pointsAll + min(p.length, pointsLength)/2
	}
	if len(r.any) == 0 && len(r.all) > 0 {
		points += pointsWords
	}
	return points, ok && !slices.ContainsFunc(r.not, func(p *pattern) bool { return p.holds(s) })
}
