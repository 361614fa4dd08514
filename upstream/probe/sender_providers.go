package probe

import (
	_ "embed"
	"errors"
	"fmt"
	glob "path"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

//go:embed sender_providers.toml
var sendersFile string

// deliverer is a provider whose smarthost delivers in its customers' names, as
// sender_providers.toml has it.
type deliverer struct {
	Name      string   `toml:"name"`
	Hosts     []string `toml:"hosts"`
	SPF       []string `toml:"spf"`
	Returns   string   `toml:"returns"`
	Selectors []string `toml:"selectors"`
	Chosen    bool     `toml:"chosen"`
	Source    string   `toml:"source"`
}

// returnsToItself is the word for a provider that puts its own domain into the
// return path.
const returnsToItself = "provider"

// senders is all of the data.
type senders struct {
	Usual    []string    `toml:"selectors"` // of programs that sign, whoever delivers
	Provider []deliverer `toml:"provider"`
}

// loadSenders reads the data, and reports all mistakes in it together.
func loadSenders(text string) (s senders, err error) {
	meta, err := toml.Decode(text, &s)
	if err != nil {
		return s, fmt.Errorf("sender_providers.toml: %w", err)
	}
	var errs []error
	for _, key := range meta.Undecoded() {
		errs = append(errs, fmt.Errorf("sender_providers.toml: unknown key %s", key))
	}
	for _, d := range s.Provider {
		if err := d.check(); err != nil {
			errs = append(errs, fmt.Errorf("sender_providers.toml: provider %q: %w", d.Name, err))
		}
	}
	return s, errors.Join(errs...)
}

func (d deliverer) check() error {
	switch {
	case d.Name == "" || len(d.Hosts) == 0 || !strings.HasPrefix(d.Source, "https://"):
		return errors.New("needs name, hosts and a source")
	case len(d.SPF) == 0 && d.Returns != returnsToItself:
		return errors.New("needs spf, or returns")
	case d.Returns != "" && d.Returns != returnsToItself:
		return fmt.Errorf("returns is %q: use %q or leave it out", d.Returns, returnsToItself)
	case len(d.Selectors) == 0 && !d.Chosen:
		return errors.New("needs selectors, or chosen")
	}
	return nil
}

// of returns the provider of a host by one of its names; nil when none is
// known.
func (s senders) of(names ...string) *deliverer {
	for i, d := range s.Provider {
		for _, name := range names {
			if slices.ContainsFunc(d.Hosts, func(h string) bool { return hostIs(name, h) }) {
				return &s.Provider[i]
			}
		}
	}
	return nil
}

// hostIs reports whether a host is the one of the data, as that file explains
// it.
func hostIs(name, pattern string) bool {
	if strings.HasPrefix(pattern, ".") {
		return strings.HasSuffix(name, pattern)
	}
	same, err := glob.Match(pattern, name)
	return err == nil && same
}

// everySelector lists all selectors of the data, each once, those of the
// provider first.
func (s senders) everySelector(first *deliverer) (list []string) {
	if first != nil {
		list = append(list, first.Selectors...)
	}
	list = append(list, s.Usual...)
	for _, d := range s.Provider {
		list = append(list, d.Selectors...)
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(name string) bool {
		again := seen[name]
		seen[name] = true
		return again
	})
}
