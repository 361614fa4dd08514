package main

import (
	gofmt "go/format"
	"strconv"
)

// GoFormat is the session as a program in Go. The package net/smtp can neither
// stop after a recipient nor say a line of one's own, so the program speaks
// itself, with nothing but the standard library.
func (x *export) GoFormat() format {
	return format{
		name:  "go",
		about: "a program in Go that repeats it, for go run",
		file:  ".go", each: true,
		write: x.writeReproduction((*reproduction).golang),
	}
}

func (r *reproduction) golang() (string, error) {
	text, err := r.program(language{
		file: "go.txt", mark: "//", run: "go run repro.go", text: strconv.Quote, quote: strconv.Quote,
		slice: "cut(%s, %d, %d)", truth: [2]string{"false", "true"}, let: "%s := %s",
	})
	if err != nil {
		return "", err
	}
	clean, err := gofmt.Source([]byte(text))
	return string(clean), err
}
