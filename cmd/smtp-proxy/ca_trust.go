package main

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"smtp-proxy/policy"
)

// trustFiles hold how each system or language is told to trust an authority:
// a title, then what to type, with {ca} for the certificate and {dir} for its
// directory. A further one is a further file.
//
//go:embed trust/*.txt
var trustFiles embed.FS

// recipe is one of the trust files.
type recipe struct{ name, title, text string }

func recipes(ca string) ([]recipe, error) {
	names, err := fs.Glob(trustFiles, "trust/*.txt")
	if err != nil {
		return nil, err
	}
	var all []recipe
	places := strings.NewReplacer("{ca}", ca, "{dir}", filepath.Dir(ca))
	for _, name := range names {
		text, err := fs.ReadFile(trustFiles, name)
		if err != nil {
			return nil, err
		}
		title, body, _ := strings.Cut(string(text), "\n")
		all = append(all, recipe{strings.TrimSuffix(path.Base(name), ".txt"), title, places.Replace(body)})
	}
	return all, nil
}

// recipeNames lists the systems that there are recipes for.
func recipeNames() []string {
	all, err := recipes("")
	if err != nil {
		return nil
	}
	var names []string
	for _, r := range all {
		names = append(names, r.name)
	}
	return names
}

// printTrust prints all recipes, or the named one.
func (p *program) printTrust(ca, name string) error {
	all, err := recipes(ca)
	if err != nil {
		return err
	}
	screen := p.onStdout()
	for _, r := range all {
		if name != "" && name != r.name {
			continue
		}
		fmt.Fprintf(p.stdout, "%s  %s\n%s\n", screen.paint(bold, r.name), screen.paint(dim, r.title), indented(r.text))
		if name != "" {
			return nil
		}
	}
	if name == "" {
		return nil
	}
	names := recipeNames()
	if near := policy.Nearest(name, names); near != "" {
		return usagef("nothing is known of %q: did you mean %q?", name, near)
	}
	return usagef("nothing is known of %q: choose one of %s", name, strings.Join(names, ", "))
}

func indented(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return "    " + strings.Join(lines, "\n    ") + "\n"
}
