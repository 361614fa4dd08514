package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"smtp-proxy": main})
}

// TestScripts runs the command as its users do; see testdata/*.txtar.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("XDG_STATE_HOME", filepath.Join(e.WorkDir, "state"))
			e.Setenv("GORACE", os.Getenv("GORACE")) // by default a program sleeps for a second at its end
			e.Values[processesKey] = processes{}
			return nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exitcode":  exitCode,
			"start":     start,
			"halt":      halt,
			"await":     await,
			"send":      send,
			"get":       get,
			"leakfree":  leakFree,
			"readme":    readme,
			"resolver":  resolver,
			"examine":   examine,
			"interrupt": interrupt,
		},
	})
}
