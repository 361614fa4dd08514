package rules

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"strings"
	"sync"

	"smtp-proxy/policy"
)

//go:embed */*.toml
var ruleFiles embed.FS

// Set is the whole knowledge base. It does not change once it is loaded and
// may be used by several goroutines.
type Set struct {
	causes    []Cause
	byID      map[string]Cause
	providers []Provider
	rules     []*Rule
	index     index
}

// Load reads the embedded knowledge base, without the rules' examples. Its
// error lists all mistakes.
func Load() (*Set, error) { return load(ruleFiles, false) }

// LoadExamples is [Load] with the rules' examples, for whoever tests them.
func LoadExamples() (*Set, error) { return load(ruleFiles, true) }

func load(files fs.FS, examples bool) (*Set, error) {
	s := &Set{byID: map[string]Cause{}}
	var causes, providers, rules error
	s.causes, causes = loadCauses(catalogueFile)
	s.providers, providers = loadProviders(providersFile)
	s.rules, rules = readRules(files, examples)
	for _, c := range s.causes {
		s.byID[c.ID] = c
	}
	s.index = newIndex(s.rules)
	errs := []error{causes, providers, rules}
	for _, r := range s.rules {
		errs = append(errs, s.check(r, examples)...)
	}
	return s, errors.Join(errs...)
}

// readRules parses all rule files, on all processors: a set has hundreds.
func readRules(files fs.FS, examples bool) ([]*Rule, error) {
	names, err := fs.Glob(files, "*/*.toml")
	if err != nil {
		return nil, err
	}
	rules, errs := make([]*Rule, len(names)), make([]error, len(names))
	var readers sync.WaitGroup
	for worker := range runtime.GOMAXPROCS(0) {
		readers.Go(func() {
			for i := worker; i < len(names); i += runtime.GOMAXPROCS(0) {
				rules[i], errs[i] = readRule(files, names[i], examples)
			}
		})
	}
	readers.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return rules, nil
}

func readRule(files fs.FS, name string, examples bool) (*Rule, error) {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	return parseRule(strings.TrimSuffix(name, path.Ext(name)), text, examples)
}

// check returns what is wrong with a rule in this set; with its explanation
// only when whole.
func (s *Set) check(r *Rule, whole bool) (errs []error) {
	var x Explain
	if whole {
		x = r.Explain()
	}
	for _, id := range append([]string{r.Cause}, x.Or...) {
		if _, ok := s.byID[id]; !ok {
			errs = append(errs, fmt.Errorf("%s: no cause %q in the catalogue", r.ID, id))
		}
	}
	if c := s.byID[r.Cause]; x.Retry != "" && !sameAdvice(c.Class, x.Retry) {
		errs = append(errs, fmt.Errorf("%s: retry %q is other advice than the cause's %q: a rule may change the pace only", r.ID, x.Retry, c.Class))
	}
	for _, id := range r.When.Provider {
		if _, ok := s.ProviderByID(id); !ok {
			errs = append(errs, fmt.Errorf("%s: no provider %q in providers.toml", r.ID, id))
		}
	}
	return errs
}

// sameAdvice reports whether two classes tell people the same, now, later,
// after-fix or never, whatever the reply's code.
func sameAdvice(a, b policy.Class) bool {
	if a == policy.ClassByCode || a == policy.ClassByCodeRecipient {
		return true // the rule's own conditions tell the code
	}
	for _, code := range []int{450, 550} {
		said := policy.Said{Code: code}
		if policy.Advice(a, said).Advice != policy.Advice(b, said).Advice {
			return false
		}
	}
	return true
}

// Cause returns a cause of the catalogue.
func (s *Set) Cause(id string) (Cause, bool) {
	c, ok := s.byID[id]
	return c, ok
}

// Causes returns the catalogue in its own order. The slice is shared.
func (s *Set) Causes() []Cause { return s.causes }

// Rules returns all rules, ordered by id. The slice is shared.
func (s *Set) Rules() []*Rule { return s.rules }
