package probe

import (
	"context"
	"reflect"
	"slices"
	"strings"
)

// remedy is one kind of change. It is a method of [remedies].
type remedy struct {
	cost    int // the cheaper are tried first
	propose func(ctx context.Context, s *search, at outcome) []settings
	advise  func(ctx context.Context, s *search, at outcome) (outcome, bool) // what cannot be tried by a dialogue; may be nil
}

// remedies carries one method for each remedy, its name ending in Remedy, so
// that a remedy is a file and no list names them all.
type remedies struct{}

// all returns the remedies, the cheapest first.
func (r remedies) all() (list []remedy) {
	methods := reflect.ValueOf(r)
	for i := range methods.NumMethod() {
		if !strings.HasSuffix(methods.Type().Method(i).Name, "Remedy") {
			continue
		}
		if make, ok := methods.Method(i).Interface().(func() remedy); ok {
			list = append(list, make())
		}
	}
	slices.SortFunc(list, func(a, b remedy) int { return a.cost - b.cost })
	return list
}

// proposals are the settings worth a trial after an outcome, the cheapest
// first, as many as may still be tried.
func (s *search) proposals(ctx context.Context, at outcome) (list []settings) {
	for _, r := range (remedies{}).all() {
		if r.propose == nil {
			continue
		}
		for _, next := range r.propose(ctx, s, at) {
			if s.left == 0 {
				return list
			}
			if !s.seen[next] {
				s.seen[next] = true
				s.left--
				list = append(list, next)
			}
		}
	}
	return list
}

// advice is what the remedies have to say beyond what was tried.
func (s *search) advice(ctx context.Context, at outcome) (list []outcome) {
	for _, r := range (remedies{}).all() {
		if r.advise == nil {
			continue
		}
		if o, ok := r.advise(ctx, s, at); ok {
			list = append(list, o)
		}
	}
	return list
}

// failedAt reports whether the session ended in one of the parts.
func (o *outcome) failedAt(parts ...string) bool { return slices.Contains(parts, o.failed) }

// unfinished reports a session that met no failure and is of no use: it is in
// clear, or no mechanism fits.
func (o *outcome) unfinished() bool { return o.failed == "" }

// onTheWay reports a failure before anybody has to say who he is.
func (o *outcome) onTheWay() bool {
	return o.failedAt(partConnect, partGreeting, partEHLO, partSTARTTLS, partTLS, partCertificate)
}
