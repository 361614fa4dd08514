package main

import (
	"fmt"
	"strings"

	"smtp-proxy/testenv"
)

// practiceHost is what a relay must be told to reach a practice smarthost.
type practiceHost struct {
	upstream string
	roots    []byte
	fault    *testenv.Fault // nil for one that works
}

// introduce prints how to reach the smarthost and what it can be made to do.
func (p *program) introduce(h practiceHost) error {
	trust, err := p.trustFile(h.roots)
	if err != nil {
		return fmt.Errorf("keep the sandbox's certificate: %w: name a directory with --data DIR, or --data none", err)
	}
	fmt.Fprintf(p.stdout, "A practice smarthost waits at %s; it delivers nothing.\n  relay  %s\n", h.upstream, h.command(trust))
	if trust == "" && h.roots != nil {
		fmt.Fprintln(p.stdout, "  trust  its certificate's root is written where --data DIR names a directory; without it add --upstream-insecure")
	}
	if h.fault != nil {
		p.printNeeds(h.fault.App)
		return nil
	}
	t := table{screen: p.onStdout()}
	for _, v := range testenv.Provocations() {
		t.add(cell{"  " + v.Example, bold}, cell{v.Meaning, plainStyle})
	}
	fmt.Fprintln(p.stdout, "Addresses that provoke a reply:")
	return t.write()
}

// command is the run command line that reaches the smarthost.
func (h practiceHost) command(trust string) string {
	flags := []string{"--upstream", h.upstream}
	if trust != "" {
		flags = append(flags, "--upstream-ca", trust)
	}
	if h.fault != nil {
		flags = h.fault.Flags(trust)
	}
	return "smtp-proxy run " + strings.Join(flags, " ")
}

// printNeeds says what the app has to do to meet the cause.
func (p *program) printNeeds(a testenv.App) {
	need := func(what, value string) {
		if value != "" {
			fmt.Fprintf(p.stdout, "  %-6s %s\n", what, visible(value))
		}
	}
	need("user", a.User)
	need("pass", a.Password)
	need("AUTH", a.Mechanism)
	need("TLS", string(a.TLS))
	need("from", a.From)
	need("to", strings.Join(a.To, ", "))
	need("EHLO", a.Helo)
	if a.Script != "" {
		fmt.Fprintf(p.stdout, "  say\n%s", indented(visibleLines(clip(a.Script, 2000))))
	}
}
