package main

import (
	"strings"

	"smtp-proxy/inspect/rules"
	"smtp-proxy/testenv"
)

// provocation says how to meet a cause in the sandbox: a command for each
// variant, and what it does.
func provocation(c rules.Cause) ([]string, error) {
	names, err := testenv.Faults()
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, name := range names {
		if cause, _, _ := strings.Cut(name, "/"); cause == c.ID {
			lines = append(lines, "smtp-proxy sandbox --cause "+name)
		}
	}
	why, cannot := strings.CutPrefix(c.Sandbox, "no: ")
	switch {
	case cannot:
		return []string{"Not by the sandbox: " + why + "."}, nil
	case len(lines) == 0:
		return []string{"Not by the sandbox alone. It takes this: " + c.Sandbox + "."}, nil
	}
	return append(lines, "What happens: "+c.Sandbox+". It prints the command that relays to it, and what the app has to do."), nil
}
