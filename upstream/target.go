package upstream

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Mode says how the upstream leg is to be secured.
type Mode string

// The modes of --upstream-tls.
const (
	ModeAuto     Mode = "auto"     // port 465: implicit; otherwise STARTTLS when it is on offer
	ModeSTARTTLS Mode = "starttls" // STARTTLS, or no mail
	ModeImplicit Mode = "implicit" // TLS from the first byte
	ModeNone     Mode = "none"     // clear
)

// ParseMode reads the value of --upstream-tls; empty means auto.
func ParseMode(s string) (Mode, error) {
	switch m := Mode(s); m {
	case "":
		return ModeAuto, nil
	case ModeAuto, ModeSTARTTLS, ModeImplicit, ModeNone:
		return m, nil
	}
	return "", fmt.Errorf("unknown TLS mode %q: use auto, starttls, implicit or none", s)
}

// The ports that a URL without one stands for (RFC 5321, RFC 6409, RFC 8314).
const (
	portSMTP  = 25
	portSub   = 587
	portSMTPS = 465
)

// Target is a smarthost as configured.
type Target struct {
	Name string // host:port, as it stands in records and messages
	Host string // lower-case name without a final dot, or an IP address
	Port int
	Mode Mode
}

// Implicit reports whether the port speaks TLS from the first byte.
func (t Target) Implicit() bool {
	return t.Mode == ModeImplicit || t.Mode == ModeAuto && t.Port == portSMTPS
}

// scheme is what a URL scheme says about the target.
type scheme struct {
	mode Mode
	port int
}

// schemeOf knows the three schemes; a plain smtp:// leaves the mode open.
func schemeOf(name string) (scheme, bool) {
	switch strings.ToLower(name) {
	case "smtp":
		return scheme{port: portSMTP}, true
	case "starttls":
		return scheme{mode: ModeSTARTTLS, port: portSub}, true
	case "smtps":
		return scheme{mode: ModeImplicit, port: portSMTPS}, true
	}
	return scheme{}, false
}

// ParseTarget reads host:port, [v6]:port, or a URL smtp://, starttls:// or
// smtps:// whose port may be left out (25, 587, 465). A scheme that names a
// kind of TLS decides the mode, and must not contradict one other than auto.
//
// An error never repeats what was given where that may hold a password.
func ParseTarget(s string, mode Mode) (Target, error) {
	mode, err := ParseMode(string(mode))
	if err != nil {
		return Target{}, err
	}
	s = strings.TrimSpace(s)
	if s == "" {
		return Target{}, errors.New("no upstream given: use host:port, for example smtp.example.com:587")
	}
	rest, from, err := cutScheme(s)
	if err != nil {
		return Target{}, err
	}
	if mode, err = agree(mode, from); err != nil {
		return Target{}, fmt.Errorf("upstream %q: %w", s, err)
	}
	host, port, err := splitHostPort(rest, from.port)
	if err != nil {
		return Target{}, fmt.Errorf("upstream %q: %w", s, err)
	}
	name := net.JoinHostPort(host, strconv.Itoa(port))
	return Target{Name: name, Host: host, Port: port, Mode: mode}, nil
}

// cutScheme takes the scheme off and refuses the parts of a URL that mean
// nothing here. Its errors come before any that quote the whole.
func cutScheme(s string) (rest string, from scheme, err error) {
	if strings.Contains(s, "@") {
		return "", scheme{}, errors.New("the upstream must not hold a user name or password: " +
			"the app signs in itself, and the proxy passes that on; give host:port only")
	}
	name, rest, isURL := strings.Cut(s, "://")
	if !isURL {
		return s, scheme{}, nil
	}
	from, known := schemeOf(name)
	if !known {
		return "", scheme{}, fmt.Errorf("upstream %q: unknown scheme %q: use smtp://, starttls:// or smtps://", s, name)
	}
	rest = strings.TrimSuffix(rest, "/")
	if strings.ContainsAny(rest, "/?#") {
		return "", scheme{}, fmt.Errorf("upstream %q: a path, query or fragment means nothing here: use %s://host:port", s, strings.ToLower(name))
	}
	return rest, from, nil
}

// agree settles the mode between the setting and the URL's scheme.
func agree(mode Mode, from scheme) (Mode, error) {
	switch {
	case from.mode == "" || from.mode == mode:
		return mode, nil
	case mode == ModeAuto:
		return from.mode, nil
	}
	return "", fmt.Errorf("the URL asks for %s, --upstream-tls for %s: drop one of them", from.mode, mode)
}

// splitHostPort takes host and port apart; port 0 means that one must be
// given.
func splitHostPort(s string, port int) (string, int, error) {
	host, digits, err := net.SplitHostPort(s)
	if err != nil {
		host, digits, err = s, "", hostAlone(s, port)
	}
	if err != nil {
		return "", 0, err
	}
	if digits != "" || port == 0 {
		if port, err = parsePort(digits); err != nil {
			return "", 0, err
		}
	}
	host, err = parseHost(host)
	return host, port, err
}

// hostAlone explains what is wrong with s as host:port, unless it is a host
// whose port the scheme supplies.
func hostAlone(s string, port int) error {
	bare := strings.Trim(s, "[]")
	if _, err := netip.ParseAddr(bare); err == nil && bare == s && strings.Contains(s, ":") {
		return fmt.Errorf("an IPv6 address needs brackets: [%s]:587", s)
	}
	if port == 0 {
		return fmt.Errorf("the port is missing: use %s:587 (or :465 for implicit TLS, :25 for a server of your own)", s)
	}
	return nil
}

func parsePort(digits string) (int, error) {
	// ParseUint takes no sign, so "+25" is as wrong as "-25".
	port, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("port %q is not a number from 1 to 65535", digits)
	}
	return int(port), nil
}

// parseHost brings a host into the form in which it is looked up, sent as SNI
// and compared with certificates.
func parseHost(host string) (string, error) {
	bare := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if addr, err := netip.ParseAddr(bare); err == nil {
		return addr.Unmap().String(), nil
	}
	if bare == "" {
		return "", errors.New("the host is missing: use host:port, for example smtp.example.com:587")
	}
	name := strings.ToLower(strings.TrimSuffix(bare, "."))
	return name, checkHost(name)
}

// checkHost refuses what no resolver could know. Underscores pass: they are
// no host names by RFC 1123, and container networks use them all the same.
func checkHost(host string) error {
	if len(host) > 253 {
		return fmt.Errorf("host name of %d octets is too long: 253 is the most (RFC 1035)", len(host))
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 {
			return fmt.Errorf("host %q has an empty or overlong part between its dots", host)
		}
	}
	for _, c := range host {
		if c >= 0x80 {
			return fmt.Errorf("host %q is not ASCII: give its xn-- form", host)
		}
		if !isHostRune(c) {
			return fmt.Errorf("host %q holds %q, which no host name may", host, c)
		}
	}
	return nil
}

func isHostRune(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
}
