package main

import (
	"os"
	"slices"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"smtp-proxy/testenv"
)

// resolver starts a DNS server with the given records until the script ends;
// $RESOLVER is its address. It says NXDOMAIN to all other questions, so that
// none leaves the machine.
//
//	resolver 'mail.example.com. 60 IN A 127.0.0.1' …
func resolver(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: resolver [RECORD…]")
	}
	d, err := testenv.NewDNS()
	ts.Check(err)
	ts.Defer(func() { d.Close() })
	for _, record := range args {
		d.Add(record)
	}
	ts.Setenv("RESOLVER", d.Addr())
}

// examine checks a started sandbox with the flags of run that it named, less
// those about the app, and demands an exit code.
//
//	examine 29 expired --json
func examine(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: examine CODE NAME [FLAG…]")
	}
	flags := ts.Value(processesKey).(processes).expand([]string{"@" + args[1]})
	for _, about := range []string{"--app-tls", "--app-timeout"} {
		if i := slices.Index(flags, about); i >= 0 {
			flags = slices.Delete(flags, i, i+2)
		}
	}
	if !slices.Contains(flags, "--resolver") {
		flags = append(flags, "--resolver", ts.Getenv("RESOLVER"))
	}
	exitCode(ts, false, append(append([]string{args[0], "smtp-proxy", "check"}, flags...), args[2:]...))
}

// interrupt ends a process as Ctrl-C does and demands its exit code.
//
//	interrupt checking 130
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: interrupt NAME CODE")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	p := ts.Value(processesKey).(processes)[args[0]]
	_ = p.end(os.Interrupt) // its error says no more than the code
	if got := p.cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("%s ended with %d, want %d\n%s", args[0], got, want, p.stdout)
	}
}
