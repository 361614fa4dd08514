// Command smtp-proxy stands between a program that sends mail and the
// smarthost that takes it, and says what went wrong and what to do.
//
// This package is where a person stands: it reads settings, wires the other
// packages together and prints. It does not relay, store or judge; those are
// the packages it wires. Its one rule: what a peer said reaches a terminal
// only through [visible].
//
// Each file named after a subcommand holds that subcommand, as a method of
// program whose name ends in Command; adding the file is all it takes.
package main

import "os"

func main() {
	os.Exit(newProgram().run(os.Args[1:]))
}
