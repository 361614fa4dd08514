package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"smtp-proxy/policy"
)

// redirectFiles hold the rules for each kind of firewall, as three templates:
// title, add and remove. A further kind is a further file.
//
//go:embed redirect/*.txt
var redirectFiles embed.FS

// redirection is what the rules are filled with.
type redirection struct {
	Port  int    // of the proxy
	User  string // whose connections are left alone
	ports mailPorts
	from  policy.Nets
}

// Ports lists the ports that are led through the proxy.
func (r redirection) Ports(between string) string { return r.ports.join(between) }

// Forwards reports whether connections of others are led through it, too.
func (r redirection) Forwards() bool { return len(r.from) > 0 }

// From4 lists the IPv4 ranges of those others.
func (r redirection) From4() string { return r.family(true) }

// From6 lists the IPv6 ranges.
func (r redirection) From6() string { return r.family(false) }

func (r redirection) family(v4 bool) string {
	var nets []string
	for _, n := range r.from {
		if n.Addr().Unmap().Is4() == v4 {
			nets = append(nets, n.String())
		}
	}
	return strings.Join(nets, ",")
}

// redirectNames lists the firewalls that there are rules for.
func redirectNames() []string {
	files, err := fs.Glob(redirectFiles, "redirect/*.txt")
	if err != nil {
		return nil
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(path.Base(file), ".txt")
	}
	return files
}

// printRedirect prints the rules of all firewalls with a title each, or those
// of the named one alone, ready to be loaded.
func (p *program) printRedirect(r redirection, name string, remove bool) error {
	names := redirectNames()
	part := map[bool]string{false: "add", true: "remove"}[remove]
	if name != "" {
		if !slices.Contains(names, name) {
			return noRedirect(name, names)
		}
		text, err := r.fill(name, part)
		fmt.Fprint(p.stdout, text)
		return err
	}
	screen := p.onStdout()
	for _, name := range names {
		title, err1 := r.fill(name, "title")
		text, err2 := r.fill(name, part)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "%s  %s\n%s\n", screen.paint(bold, name), screen.paint(dim, title), indented(text))
	}
	return nil
}

func noRedirect(name string, names []string) error {
	if near := policy.Nearest(name, names); near != "" {
		return usagef("there are no rules for %q: did you mean %q?", name, near)
	}
	return usagef("there are no rules for %q: choose one of %s", name, strings.Join(names, ", "))
}

// fill writes one part of a firewall's file.
func (r redirection) fill(name, part string) (string, error) {
	rules, err := template.ParseFS(redirectFiles, "redirect/"+name+".txt")
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = rules.ExecuteTemplate(&out, part, r)
	return out.String(), err
}

// mailPorts is a list of port numbers as a flag.
type mailPorts []int

// maxMailPorts is what one rule of iptables takes.
const maxMailPorts = 15

func (m *mailPorts) String() string { return m.join(",") }
func (m *mailPorts) Type() string   { return "ports" }
func (m *mailPorts) Set(text string) error {
	var all mailPorts
	for digits := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 16)
		if err != nil || n == 0 {
			return fmt.Errorf("%q is no port: write numbers from 1 to 65535, such as 25,465,587", digits)
		}
		all = append(all, int(n))
	}
	if len(all) > maxMailPorts {
		return fmt.Errorf("%d ports are too many: one rule takes %d", len(all), maxMailPorts)
	}
	*m = all
	return nil
}

func (m *mailPorts) join(between string) string {
	words := make([]string, len(*m))
	for i, n := range *m {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, between)
}
