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
	all := make([]Checked, len(names))
	for i, name := range names {
		all[i].File = name
		all[i].Rule, all[i].Err = readRuleFile(name)
	}
	if !slices.ContainsFunc(all, sound) {
		return all, nil // the set need not be read to say so
	}
	s, err := LoadExamples()
	if err != nil {
		return nil, err
	}
	s.checkFiles(all)
	return all, nil
}

func sound(c Checked) bool { return c.Err == nil }

// checkFiles checks those rules of files that could be read.
func (s *Set) checkFiles(all []Checked) {
	var replaced []*Rule
	for i := range all {
		if c := &all[i]; sound(*c) {
			c.Err = errors.Join(s.check(c.Rule, true)...)
		}
		if c := &all[i]; sound(*c) {
			replaced = append(replaced, s.add(c.Rule)...)
		}
	}
	for i := range all {
		if c := &all[i]; sound(*c) {
			c.Err = errors.Join(s.CheckExamples(c.Rule), s.checkOthers(c.Rule, replaced))
		}
	}
}

// readRuleFile reads a rule whose id is that of its file and directory.
func readRuleFile(name string) (*Rule, error) {
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
	return parseRule(filepath.Base(filepath.Dir(path))+"/"+file, text, true)
}

// add puts a rule into the set, and returns those with the same id that it
// took the place of.
func (s *Set) add(r *Rule) (replaced []*Rule) {
	s.rules = slices.DeleteFunc(s.rules, func(o *Rule) bool {
		if o.ID == r.ID {
			replaced = append(replaced, o)
		}
		return o.ID == r.ID
	})
	s.rules = append(s.rules, r)
	s.index = newIndex(s.rules)
	return replaced
}

// checkOthers checks that no other rule loses one of its examples to a new
// one. Only what the new rule matches can have changed hands, and what those
// that it replaced had kept from others.
func (s *Set) checkOthers(added *Rule, replaced []*Rule) error {
	var errs []error
	for _, r := range s.rules {
		if r == added || !s.touch(slices.Concat(replaced, []*Rule{added}), r) {
			continue
		}
		if err := s.CheckExamples(r); err != nil {
			errs = append(errs, fmt.Errorf("with this rule added: %w", err))
		}
	}
	return errors.Join(errs...)
}

// touch reports whether one of some rules matches an example of another.
func (s *Set) touch(some []*Rule, other *Rule) bool {
	return slices.ContainsFunc(slices.Concat(other.MustMatch, other.MustNotMatch), func(e Example) bool {
		symptom := s.read(s.Symptom(e))
		return slices.ContainsFunc(some, func(r *Rule) bool { _, ok := r.match(&symptom); return ok })
	})
}
