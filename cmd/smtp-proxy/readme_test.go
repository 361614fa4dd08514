package main

import (
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// readme is the script command "readme FILE...": each finding that the README
// shows must stand in the output of one of several programs as it is there, but
// for line breaks and port numbers.
func readme(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: readme FILE...")
	}
	text, err := os.ReadFile("../../README.md")
	ts.Check(err)
	shown := findingsIn(string(text))
	if len(shown) < 3 {
		ts.Fatalf("the README shows %d findings, want three at least", len(shown))
	}
	var printed []string
	for _, file := range args {
		printed = append(printed, findingsIn(ts.ReadFile(file))...)
	}
	for _, want := range shown {
		if !slices.Contains(printed, want) {
			ts.Fatalf("the README shows a finding that is not printed so:\n%s", want)
		}
	}
}

var portNumber = regexp.MustCompile(`\b\d{4,5}\b`)

// findingsIn returns the findings of transcripts, each on one line.
func findingsIn(text string) (all []string) {
	var one []string
	for line := range strings.Lines(text) {
		if _, finding, ok := strings.Cut(line, "            |  "); ok {
			one = append(one, strings.Fields(finding)...)
			continue
		}
		if len(one) > 0 {
			all = append(all, portNumber.ReplaceAllString(strings.Join(one, " "), "PORT"))
			one = nil
		}
	}
	return all
}
