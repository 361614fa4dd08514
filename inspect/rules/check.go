package rules

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Checked is what [CheckFiles] says of one file.
type Checked struct {
	File string
	Rule *Rule // nil when the file cannot be read as a rule
	Err  error // all mistakes, joined; nil when the rule is sound
}

// CheckFile is [CheckFiles] for a single file.
func CheckFile(name string) error {
	checked, err := CheckFiles(name)
	if err != nil {
		return err
	}
	return checked[0].Err
}

// CheckFiles tests contributors' rule files FAMILY/NAME.toml against the
// embedded set, as if all of them stood there: a rule must win its examples,
// and take none from another. Its own error is one of the embedded set.
func CheckFiles(names ...string) ([]Checked, error) {
	s, err := LoadExamples()
	if err != nil {
		return nil, err
	}
	all := make([]Checked, len(names))
	replaced := false
	for i, name := range names {
		c := &all[i]
		c.File = name
		if c.Rule, c.Err = s.readFile(name); c.Err == nil {
			replaced = s.add(c.Rule) || replaced
		}
	}
	for i := range all {
		if c := &all[i]; c.Err == nil {
			c.Err = errors.Join(s.CheckExamples(c.Rule), s.checkOthers(c.Rule, replaced))
		}
	}
	return all, nil
}

// readFile reads a rule whose id is that of its file and directory.
func (s *Set) readFile(name string) (*Rule, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	file, isRule := strings.CutSuffix(filepath.Base(path), ".toml")
	if !isRule {
		return nil, fmt.Errorf("%s: a rule stands in FAMILY/NAME.toml", name)
	}
	r, err := parseRule(filepath.Base(filepath.Dir(path))+"/"+file, text, true)
	if err != nil {
		return nil, err
	}
	return r, errors.Join(s.check(r, true)...)
}

// add puts a rule into the set, and reports whether it took the place of one
// with the same id.
func (s *Set) add(r *Rule) (replaced bool) {
	before := len(s.rules)
	s.rules = slices.DeleteFunc(s.rules, func(o *Rule) bool { return o.ID == r.ID })
	replaced = len(s.rules) < before
	s.rules = append(s.rules, r)
	s.index = newIndex(s.rules)
	return replaced
}

// checkOthers checks that no other rule loses one of its examples to a new
// one. Only what the new rule matches can have changed; where a rule was
// replaced, what that one kept away can too, so all are checked.
func (s *Set) checkOthers(added *Rule, replaced bool) error {
	var errs []error
	for _, r := range s.rules {
		if r == added || !replaced && !s.touches(added, r) {
			continue
		}
		if err := s.CheckExamples(r); err != nil {
			errs = append(errs, fmt.Errorf("with this rule added: %w", err))
		}
	}
	return errors.Join(errs...)
}

// touches reports whether a rule matches an example of another.
func (s *Set) touches(added, other *Rule) bool {
	return slices.ContainsFunc(slices.Concat(other.MustMatch, other.MustNotMatch), func(e Example) bool {
		symptom := s.read(s.Symptom(e))
		_, ok := added.match(&symptom)
		return ok
	})
}
