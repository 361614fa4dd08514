package rules

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"smtp-proxy/policy"

	"github.com/BurntSushi/toml"
)

//go:embed catalogue.toml
var catalogueFile string

// Cause is one entry of the catalogue: a reason for which mail fails.
type Cause struct {
	ID          string       `toml:"id"`          // family.name; never reused for something else
	Title       string       `toml:"title"`       // one line, no full stop
	What        string       `toml:"what"`        // what happened, in half a sentence
	Side        string       `toml:"side"`        // who has to act: app, operator, network, upstream, recipient
	Class       policy.Class `toml:"class"`       // how it behaves when sent again
	Explanation string       `toml:"explanation"` // a paragraph for whoever meets it the first time
	Fix         []string     `toml:"fix"`         // steps, the most likely to help first
	Example     string       `toml:"example"`     // a reply or an event that shows it
	Sandbox     string       `toml:"sandbox"`     // how the sandbox provokes it, or why it cannot
	Refs        []string     `toml:"refs"`
}

// Family returns the part of the id before the dot.
func (c Cause) Family() string {
	family, _, _ := strings.Cut(c.ID, ".")
	return family
}

// Retry returns the catalogue's advice: now, later, after-fix, never, or "by
// code" when the reply's class decides.
func (c Cause) Retry() string {
	if c.Class == policy.ClassByCode || c.Class == policy.ClassByCodeRecipient {
		return "by code"
	}
	return policy.Advice(c.Class, policy.Said{}).Advice
}

// loadCauses reads the catalogue, in its own order. All mistakes are reported
// together.
func loadCauses(text string) ([]Cause, error) {
	var file struct {
		Cause []Cause `toml:"cause"`
	}
	meta, err := toml.Decode(text, &file)
	if err != nil {
		return nil, fmt.Errorf("catalogue.toml: %w", err)
	}
	errs := unknownKeys("catalogue.toml", meta)
	seen := map[string]bool{}
	for _, c := range file.Cause {
		if seen[c.ID] {
			errs = append(errs, fmt.Errorf("catalogue.toml: %s stands there twice", c.ID))
		}
		seen[c.ID] = true
		errs = append(errs, c.check()...)
	}
	return file.Cause, errors.Join(errs...)
}

// check returns what a cause lacks.
func (c Cause) check() (errs []error) {
	for name, value := range map[string]string{"title": c.Title, "what": c.What, "explanation": c.Explanation, "example": c.Example, "sandbox": c.Sandbox} {
		if strings.TrimSpace(value) == "" {
			errs = append(errs, fmt.Errorf("catalogue.toml: %s: no %s", c.ID, name))
		}
	}
	if !slices.Contains([]string{"app", "operator", "network", "upstream", "recipient"}, c.Side) {
		errs = append(errs, fmt.Errorf("catalogue.toml: %s: side is %q; want app, operator, network, upstream or recipient", c.ID, c.Side))
	}
	if !c.Class.Known() {
		errs = append(errs, fmt.Errorf("catalogue.toml: %s: unknown class %q", c.ID, c.Class))
	}
	if len(c.Fix) == 0 {
		errs = append(errs, fmt.Errorf("catalogue.toml: %s: no fix", c.ID))
	}
	texts := append([]string{c.Title, c.Explanation}, c.Fix...)
	return append(errs, checkPlaceholders("catalogue.toml: "+c.ID, texts)...)
}

// unknownKeys returns an error for each key of a file that means nothing.
func unknownKeys(file string, meta toml.MetaData) (errs []error) {
	for _, key := range meta.Undecoded() {
		errs = append(errs, fmt.Errorf("%s: unknown key %s", file, key))
	}
	return errs
}
