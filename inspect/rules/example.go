package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"smtp-proxy/proxy/wire"
)

// Example is a reply that a rule must, or must not, win.
type Example struct {
	Host      string `toml:"host"`  // of the smarthost, to tell its provider
	Phase     string `toml:"phase"` // empty when the rule must win without knowing
	Verb      string `toml:"verb"`
	Reply     string `toml:"reply"` // as it came over the wire, or the words of an error
	Auth      string `toml:"auth"`
	Mechanism string `toml:"mechanism"`
	TLS       string `toml:"tls"`
	Why       string `toml:"why"` // of a reply that must not match: what it is instead
}

// Symptom reads an example as a session would have shown it.
func (s *Set) Symptom(e Example) Symptom {
	symptom := Symptom{Event: EventError, Text: e.Reply}
	if r, ok := wire.ParseReply(strings.TrimSpace(e.Reply)); ok {
		symptom = FromReply(r)
	}
	symptom.Provider = s.Provider(Hints{Host: e.Host, Reply: e.Reply})
	symptom.Phase, symptom.Verb, symptom.Auth = e.Phase, e.Verb, e.Auth
	symptom.Mechanism, symptom.TLS = e.Mechanism, e.TLS
	return symptom
}

// CheckExamples holds a rule's examples against the whole set: each reply
// that must match has to be won by the rule, and by more points than any
// rule with another cause has; each that must not match has to be won by
// another, or by none. A rule in generic/ may lose to a family's own rule of
// the same cause: then somebody has written the better words.
func (s *Set) CheckExamples(r *Rule) error {
	var errs []error
	if len(r.MustMatch) == 0 {
		errs = append(errs, fmt.Errorf("%s: no [[must_match]] example", r.ID))
	}
	for _, e := range r.MustMatch {
		errs = append(errs, s.checkWin(r, e))
	}
	for _, e := range r.MustNotMatch {
		if hits := s.Match(s.Symptom(e)); len(hits) > 0 && hits[0].ID == r.ID {
			errs = append(errs, fmt.Errorf("%s: wins %q, which it must not: %s", r.ID, e.Reply, e.Why))
		}
	}
	return errors.Join(errs...)
}

func (s *Set) checkWin(r *Rule, e Example) error {
	symptom := s.Symptom(e)
	hits := s.Match(symptom)
	if !slices.ContainsFunc(hits, func(h *Rule) bool { return h.ID == r.ID }) {
		return fmt.Errorf("%s: does not match its own example %q", r.ID, e.Reply)
	}
	if best := hits[0]; best.ID != r.ID && !(r.Family() == "generic" && best.Cause == r.Cause) {
		return fmt.Errorf("%s: loses its own example %q to %s (%d points to %d)", r.ID, e.Reply, hits[0].ID, s.Points(r, symptom), s.Points(hits[0], symptom))
	}
	for _, other := range hits[1:] {
		if other.Cause != r.Cause && s.Points(other, symptom) == s.Points(r, symptom) {
			return fmt.Errorf("%s: ties with %s (another cause) on %q: make one of them more specific", r.ID, other.ID, e.Reply)
		}
	}
	return nil
}
