package probe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The modes of a policy (RFC 8461, section 3.2).
const (
	modeEnforce = "enforce"
	modeTesting = "testing"
	modeNone    = "none"
)

// The bounds of a policy: a year by the RFC, and no more patterns than anyone
// has.
const (
	maxPolicyAge = 31557600 * time.Second
	maxPatterns  = 100
)

// policy is what a domain wants of those that send to it.
type policy struct {
	mode string
	age  time.Duration
	mx   []string // names and patterns of its mail exchangers, in lower case
}

// parsePolicy reads a policy as RFC 8461, section 3.2 has it: lines of key and
// value, of which the first of each key counts; mx may stand many times, and
// keys that are not known are passed over.
func parsePolicy(text string) (policy, error) {
	fields := map[string]string{}
	var p policy
	for line := range strings.SplitSeq(text, "\n") {
		key, value, ok := strings.Cut(strings.TrimRight(line, "\r"), ":")
		if value = strings.Trim(value, " \t"); !ok {
			continue
		}
		if _, known := fields[key]; !known {
			fields[key] = value
		}
		if key == "mx" && len(p.mx) < maxPatterns {
			p.mx = append(p.mx, strings.ToLower(value))
		}
	}
	if v := fields["version"]; v != "STSv1" {
		return policy{}, fmt.Errorf("%w: its version is %.20q, not STSv1", errNoPolicy, v)
	}
	return p.complete(fields["mode"], fields["max_age"])
}

// complete checks what a policy has to hold.
func (p policy) complete(mode, age string) (policy, error) {
	seconds, err := strconv.ParseUint(age, 10, 32)
	p.mode, p.age = mode, time.Duration(seconds)*time.Second
	switch {
	case !slices.Contains([]string{modeEnforce, modeTesting, modeNone}, mode):
		return policy{}, fmt.Errorf("%w: its mode is %.20q, not enforce, testing or none", errNoPolicy, mode)
	case err != nil || p.age > maxPolicyAge:
		return policy{}, fmt.Errorf("%w: its max_age is %.20q, not a number of seconds up to 31557600", errNoPolicy, age)
	case len(p.mx) == 0 && mode != modeNone:
		return policy{}, fmt.Errorf("%w: it names no mx", errNoPolicy)
	}
	for _, pattern := range p.mx {
		if !isPattern(pattern) {
			return policy{}, fmt.Errorf("%w: its mx %.80q is neither a host name nor *. and one", errNoPolicy, pattern)
		}
	}
	return p, nil
}

// isPattern reports whether s is a host name, or one behind "*.".
func isPattern(s string) bool {
	name := strings.TrimPrefix(s, "*.")
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// allows reports whether a mail exchanger is one of those named. A star stands
// for the leftmost label, whole and alone (RFC 8461, section 4.1).
func (p policy) allows(name string) bool {
	_, above, _ := strings.Cut(name, ".")
	return slices.ContainsFunc(p.mx, func(pattern string) bool {
		below, wild := strings.CutPrefix(pattern, "*.")
		return pattern == name || wild && above == below
	})
}
