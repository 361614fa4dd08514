package probe

import (
	"fmt"
	"strings"
)

// tag is one part of a record of DKIM or DMARC: "p=reject".
type tag struct{ name, value string }

// tagList is such a record (RFC 6376, section 3.2; DMARC has the same form).
type tagList struct {
	tags   []tag
	faults []string // what does not have that form, for a person
}

// maxTagSlips bounds how many of those faults are told of which a record may have
// any number.
const maxTagSlips = 4

// parseTags reads a record. What it can read it returns, beside what is wrong
// with the rest.
func parseTags(text string) (l tagList) {
	for _, part := range strings.Split(text, ";") {
		name, value, ok := strings.Cut(part, "=")
		name, value = trimFWS(name), trimFWS(value)
		switch {
		case !ok && name == "":
		case !ok || !isTagName(name):
			l.slip("%q is no tag=value", printable(trimFWS(part)))
		case l.has(name):
			l.slip("%s= stands there twice", name)
		default:
			l.tags = append(l.tags, tag{name, value})
		}
	}
	return l
}

func (l *tagList) fault(format string, args ...any) {
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

func (l *tagList) slip(format string, args ...any) {
	if len(l.faults) < maxTagSlips {
		l.fault(format, args...)
	}
}

// trimFWS takes away the white space that may stand around names and values.
func trimFWS(s string) string { return strings.Trim(s, " \t\r\n") }

func isTagName(s string) bool {
	if s == "" || s[0] >= '0' && s[0] <= '9' || s[0] == '_' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_'
	})
}

// get returns a tag's value, empty when the tag is not there.
func (l tagList) get(name string) string {
	for _, t := range l.tags {
		if t.name == name {
			return t.value
		}
	}
	return ""
}

func (l tagList) has(name string) bool {
	for _, t := range l.tags {
		if t.name == name {
			return true
		}
	}
	return false
}

// String writes the record anew.
func (l tagList) String() string {
	parts := make([]string, len(l.tags))
	for i, t := range l.tags {
		parts[i] = t.name + "=" + t.value
	}
	return strings.Join(parts, "; ")
}
