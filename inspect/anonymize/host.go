package anonymize

import (
	_ "embed"
	"net/netip"
	"regexp"
	"strings"
)

// The domains that stay, and the words of replies; a line each.
var (
	//go:embed public.txt
	publicFile string
	//go:embed common.txt
	commonFile string
)

// host replaces a host name by one of the same length under a reserved name
// (RFC 2606, RFC 6761). The labels in front of a domain keep their number; those that say
// what a host is for stay.
func (a *Anonymizer) host(text string) string {
	whole := strings.TrimSuffix(text, ".")
	name, dot := strings.ToLower(whole), text[len(whole):] // lower case may be longer
	if ip, err := netip.ParseAddr(name); err == nil {
		return a.ip(ip).String() + dot
	}
	if a.stays(name) {
		return a.tenant(whole) + dot
	}
	if name != "" && len(a.hosts) < mostTaken {
		a.hosts[name] = true
	}
	front, base := split(name)
	out := ""
	if front != "" {
		out = a.labels(front) + "."
	}
	return cased(out+a.base(base), whole) + dot
}

// stays reports names that belong to nobody, to a public service, or to the
// smarthost.
func (a *Anonymizer) stays(name string) bool {
	if name == "" || name == a.upstream || name == "sandbox" || a.common[name] {
		return true
	}
	for at := name; at != ""; {
		if a.public[at] || at == "localhost" {
			return true
		}
		_, at, _ = strings.Cut(at, ".")
	}
	return a.slip(name)
}

// slip reports a name that is one letter away from a public one: what is
// wrong with it is its spelling, and that is the finding.
func (a *Anonymizer) slip(name string) bool {
	if len(name) < 7 || strings.Count(name, ".") != 1 {
		return false
	}
	for _, known := range [...]string{"gmail.com", "googlemail.com", "hotmail.com", "outlook.com", "yahoo.com", "icloud.com"} {
		if near(name, known) {
			return true
		}
	}
	return false
}

// near reports one letter too many, too few, wrong, or two changed over.
func near(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch len(b) - len(a) {
	case 0:
		return i < len(a) && (a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:])
	case 1:
		return a[i:] == b[i+1:]
	}
	return false
}

var (
	dashed   = regexp.MustCompile(`\d{1,3}([-x])\d{1,3}[-x]\d{1,3}[-x]\d{1,3}`)
	tenants  = regexp.MustCompile(`(?i)^(.+)(\.mail\.protection\.outlook\.com|\.mail\.eo\.outlook\.com)$`)
	purposes = regexp.MustCompile(`^(mail|smtp|mx|mta|www|relay|imap|pop|ns|out|in|outbound|inbound|submission|gateway|mailhost|bounces?|autodiscover|_spf|spf|_dmarc|_domainkey|_mta-sts|mta-sts|_smtp|_tls)-?\d{0,2}$`)
	reversed = regexp.MustCompile(`^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$`)
)

// tenant takes a customer out of the name of a public service: their address
// in digits, or their own domain.
func (a *Anonymizer) tenant(text string) string {
	low := strings.ToLower(text)
	if m := tenants.FindStringSubmatch(text); m != nil && low != a.upstream {
		return a.name(m[1]) + m[2]
	}
	front, base, _ := cutFront(low)
	if front != "" && reversed.MatchString(front) {
		return a.reverse(front) + "." + base
	}
	return dashed.ReplaceAllStringFunc(text, a.word)
}

// cutFront takes the four numbers off a name that asks about an address.
func cutFront(name string) (front, base string, ok bool) {
	labels := strings.SplitN(name, ".", 5)
	if len(labels) < 5 {
		return "", name, false
	}
	return strings.Join(labels[:4], "."), labels[4], true
}

// labels replaces those in front of a domain.
func (a *Anonymizer) labels(front string) string {
	if reversed.MatchString(front) {
		return a.reverse(front)
	}
	all := strings.Split(front, ".")
	for i, l := range all {
		if !purposes.MatchString(l) {
			a.learn(l)
			all[i] = a.name(l)
		}
	}
	return strings.Join(all, ".")
}

// base replaces a domain as it was registered.
func (a *Anonymizer) base(base string) string {
	label, top, dotted := strings.Cut(base, ".")
	if !dotted {
		a.learn(base)
		return a.name(base)
	}
	a.learn(label)
	if private(top) {
		return a.name(label) + "." + top
	}
	return a.unique("base", base, func(s *stream) string { return reserved(s, base) })
}

// private reports top-level names that are never registered: that they are in
// use is a fact that diagnosis needs.
func private(top string) bool {
	switch top {
	case "local", "lan", "internal", "corp", "home", "localdomain", "arpa", "test", "invalid", "example", "intranet", "private":
		return true
	}
	return false
}

// reserved makes a domain of the same length that nobody can have.
func reserved(s *stream, base string) string {
	for _, top := range [...]string{".example", ".test"} {
		if n := len(base) - len(top); n >= 2 && isASCII(base) {
			return s.scramble(strings.Map(labelLetter, base[:n])) + top
		}
	}
	at := strings.LastIndexByte(base, '.')
	return s.scramble(base[:at+1]) + strings.Repeat("z", len(base)-at-1)
}

// labelLetter lets a piece of a domain stand as one label.
func labelLetter(r rune) rune {
	if r == '.' || r == '-' || r == '_' {
		return 'x'
	}
	return r
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// split takes a name apart into its domain as registered and what stands in
// front of it. Second-level registries are told by their labels.
func split(name string) (front, base string) {
	labels := strings.Split(name, ".")
	n := 2
	if len(labels) > 2 && len(labels[len(labels)-1]) == 2 && registry(labels[len(labels)-2]) {
		n = 3
	}
	at := max(0, len(labels)-n)
	return strings.Join(labels[:at], "."), strings.Join(labels[at:], ".")
}

// registry reports the second levels below which countries register names.
func registry(label string) bool {
	switch label {
	case "co", "com", "net", "org", "ac", "gov", "edu", "or", "ne", "go":
		return true
	}
	return false
}
