package main

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"smtp-proxy/policy"
)

// span is a length of time as a flag: what [policy.ParseSpan] reads.
type span time.Duration

func (s *span) String() string { return policy.FormatSpan(time.Duration(*s)) }
func (s *span) Type() string   { return "time" }
func (s *span) Set(text string) error {
	d, err := policy.ParseSpan(text)
	*s = span(d)
	return err
}

// size is a number of octets as a flag: what [policy.ParseSize] reads.
type size int64

func (s *size) String() string { return policy.FormatSize(int64(*s)) }
func (s *size) Type() string   { return "size" }
func (s *size) Set(text string) error {
	n, err := policy.ParseSize(text)
	*s = size(n)
	return err
}

// nets is a list of address ranges as a flag. Given twice, it holds both.
type nets policy.Nets

func (n *nets) String() string { return policy.Nets(*n).String() }
func (n *nets) Type() string   { return "CIDR" }
func (n *nets) Set(text string) error {
	more, err := policy.ParseNets(text)
	*n = append(*n, more...)
	return err
}

// refusal says what is wrong with a flag's value, and only that.
func refusal(invalid *pflag.InvalidValueError) error {
	switch value := invalid.GetValue(); invalid.GetFlag().Value.Type() {
	case "bool":
		return fmt.Errorf("%q is neither true nor false", value)
	case "int", "int64", "uint":
		return fmt.Errorf("%q is no whole number", value)
	}
	return invalid.Unwrap()
}
