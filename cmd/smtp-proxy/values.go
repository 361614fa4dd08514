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

// wait is a length of time that must not be zero: [policy.Config] takes zero
// for its default, which is not what somebody means who writes 0.
type wait struct {
	to     *time.Duration
	atOnce bool // 0 means none at all; else it is refused
}

func (w wait) String() string {
	if w.to == nil {
		return ""
	}
	return policy.FormatSpan(*w.to)
}
func (w wait) Type() string { return "time" }
func (w wait) Set(text string) error {
	d, err := policy.ParseSpan(text)
	switch {
	case err != nil:
		return err
	case d == 0 && !w.atOnce:
		return fmt.Errorf("%q leaves no time at all: write a length of time such as 20s", text)
	}
	*w.to = max(d, time.Nanosecond)
	return nil
}

// forever as a limit of the record keeps everything.
const forever = "forever"

// keepFor is how long the record goes back.
type keepFor time.Duration

func (k *keepFor) String() string { return policy.FormatSpan(time.Duration(*k)) }
func (k *keepFor) Type() string   { return "time" }
func (k *keepFor) Set(text string) error {
	if text == forever {
		*k = policy.NoLimit
		return nil
	}
	d, err := policy.ParseSpan(text)
	if err == nil && d == 0 {
		err = fmt.Errorf("%q keeps nothing: write --data none for that, or forever for no limit", text)
	}
	*k = keepFor(d)
	return err
}

// keepSize is how much the record may take.
type keepSize int64

func (k *keepSize) String() string { return policy.FormatSize(int64(*k)) }
func (k *keepSize) Type() string   { return "size" }
func (k *keepSize) Set(text string) error {
	if text == forever {
		*k = policy.NoLimit
		return nil
	}
	n, err := policy.ParseSize(text)
	if err == nil && n == 0 {
		err = fmt.Errorf("%q keeps nothing: write --data none for that, or forever for no limit", text)
	}
	*k = keepSize(n)
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
