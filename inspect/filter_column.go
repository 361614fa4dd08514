package inspect

import "strings"

// A store that has a part of a session at hand may compare it with a word by
// itself. These compare as [Filter.Match] does.

// Is reports whether a text is what the word says.
func (t Term) Is(text string) bool { return glob(t.Value, text) }

// IsAddress compares with a mail address, or with a user name.
func (t Term) IsAddress(addr string) bool { return address(t.Value, addr) }

// IsHost compares with host:port.
func (t Term) IsHost(addr string) bool { return host(t.Value, addr) }

// IsCode compares with an element of [Session.Codes], "550 5.1.1".
func (t Term) IsCode(line string) bool {
	want := strings.ReplaceAll(t.Value, "xx", "*")
	code, enhanced, _ := strings.Cut(line, " ")
	return glob(want, code) || enhanced != "" && glob(want, enhanced)
}
