package policy

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Check reports every mistake in c together, joined with [errors.Join]; nil
// when c can be run. Each says which setting is wrong and what to write
// instead.
func (c Config) Check() error {
	c = c.Filled()
	var m mistakes
	for _, r := range c.All() {
		r.check(&m, c.Redirects(r))
	}
	m.names(c.All())
	m.choice("--probe", c.Probe, "auto", "off")
	m.choice("--smuggling", c.Smuggling, "refuse", "pass")
	m.choice("--log-level", c.LogLevel, "trace", "debug", "info", "warn", "error")
	m.pair(c.Cert, c.Key)
	m.resolver(c.Resolver)
	m.http(c.HTTP, c.HTTPAuth)
	m.spans(c)
	m.counts(c)
	return errors.Join(m...)
}

func (r Route) check(m *mistakes, transparent bool) {
	in := r.place()
	m.upstream(in, r.Upstream, transparent)
	m.choice("--upstream-tls"+in, r.UpstreamTLS, "auto", "starttls", "implicit", "none")
	m.choice("--app-tls"+in, r.AppTLS, "none", "offer", "require", "implicit")
	m.choice("--tls"+in, r.TLS, "terminate", "passthrough")
	m.choice("--capture"+in, r.Capture, "full", "headers", "none")
	if r.Listen == "" {
		m.add("the route %q has no listener: give it listen = \"localhost:PORT\"", r.Name)
		return
	}
	if m.address("--listen"+in, r.Listen) && !Loopback(r.Listen) && len(r.AllowFrom) == 0 {
		m.add("--listen%s %s can be reached from other machines: say who may connect with --allow-from (such as --allow-from 172.16.0.0/12 for containers), or listen on localhost", in, r.Listen)
	}
}

// place names the route in a message about one of its settings.
func (r Route) place() string {
	if r.Name == Defaults().Name {
		return ""
	}
	return fmt.Sprintf(" of route %q", r.Name)
}

type mistakes []error

func (m *mistakes) add(format string, args ...any) { *m = append(*m, fmt.Errorf(format, args...)) }

func (m *mistakes) choice(flag, value string, allowed ...string) {
	if oneOf(value, allowed...) {
		return
	}
	last := len(allowed) - 1
	m.add("%s %q is not known: choose %s or %s", flag, value, strings.Join(allowed[:last], ", "), allowed[last])
}

func (m *mistakes) address(flag, value string) bool {
	_, port, err := net.SplitHostPort(value)
	if err != nil {
		m.add("%s %q is no address: write it as host:port, such as localhost:1025", flag, value)
		return false
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n > 65535 {
		m.add("%s %q has no usable port: take a number from 1 to 65535 (0 lets the system choose)", flag, value)
		return false
	}
	return true
}

func (m *mistakes) upstream(in, value string, transparent bool) {
	switch {
	case value == "" && transparent:
	case value == "" && in == "":
		m.add("--upstream is missing: name the smarthost (--upstream smtp.example.com:587), or try smtp-proxy demo, which needs none")
	case value == "":
		m.add("--upstream%s is missing: name the smarthost (upstream = \"smtp.example.com:587\")", in)
	default:
		m.credentials(in, value)
	}
}

// credentials refuses a URL that carries them. Nothing of it is repeated.
func (m *mistakes) credentials(in, value string) {
	u, err := url.Parse(value)
	if err == nil && u.User != nil || err != nil && strings.Contains(value, "@") {
		m.add("--upstream%s holds a user name or password: leave them out (host:port), the app's own AUTH is passed on", in)
	}
}

// names refuses two routes that could not be told apart.
func (m *mistakes) names(routes []Route) {
	seen, listens := map[string]bool{}, map[string]string{}
	for _, r := range routes {
		if r.Name == "" {
			m.add("a [[route]] has no name: give it name = \"…\", it stands in each session's record")
		}
		if r.Name != "" && seen[r.Name] {
			m.add("two routes are named %q: give each its own name", r.Name)
		}
		if other, taken := listens[r.Listen]; taken && !strings.HasSuffix(r.Listen, ":0") && r.Listen != "" {
			m.add("the routes %q and %q both listen on %s: give each its own port", other, r.Name, r.Listen)
		}
		seen[r.Name], listens[r.Listen] = true, r.Name
	}
}

func (m *mistakes) pair(cert, key string) {
	if (cert == "") != (key == "") {
		m.add("--cert and --key belong together: give both, or neither for a certificate of the local authority")
	}
}

func (m *mistakes) resolver(value string) {
	if value == "" {
		return
	}
	if _, err := netip.ParseAddrPort(value); err != nil {
		m.add("--resolver %q is no ip:port: write it as 192.0.2.53:53 or [2001:db8::53]:53", value)
	}
}

func (m *mistakes) http(value, auth string) {
	if value == "off" || !m.address("--http", value) {
		return
	}
	if !Loopback(value) && auth == "" {
		m.add("--http %s can be reached from other machines: protect it with --http-auth FILE (user:bcrypt lines), or use 127.0.0.1 or --http off", value)
	}
}

func (m *mistakes) spans(c Config) {
	for _, s := range []struct {
		flag  string
		value time.Duration
	}{
		{"--connect-timeout", c.ConnectTimeout},
		{"--handshake-timeout", c.HandshakeTimeout},
		{"--app-timeout", c.AppTimeout},
		{"--grace", c.Grace},
	} {
		if s.value < 0 {
			m.add("%s %s is negative: write a length of time such as 20s", s.flag, s.value)
		}
	}
}

func (m *mistakes) counts(c Config) {
	if c.MaxSessions < 0 {
		m.add("--max-sessions %d is negative: 0 means limited by descriptors only", c.MaxSessions)
	}
	if c.MaxPerAddress < 0 {
		m.add("--max-per-address %d is negative: 0 means no limit of its own", c.MaxPerAddress)
	}
}
