package rules_test

import (
	"errors"
	"testing"

	"smtp-proxy/inspect/rules"
)

func loadExamples(t testing.TB) *rules.Set {
	t.Helper()
	set, err := rules.LoadExamples()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// Each rule wins its own examples among all rules, and no two causes tie.
func TestRulesWinTheirExamples(t *testing.T) {
	set := loadExamples(t)
	var errs []error
	for _, r := range set.Rules() {
		errs = append(errs, set.CheckExamples(r))
	}
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}
