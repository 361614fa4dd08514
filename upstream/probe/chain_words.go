package probe

import (
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
)

// whole says where the chain leads and for whom it is: in one line where both
// are well.
func (a autopsy) whole() []Line {
	trust, name := a.trust(), a.name()
	if len(trust) == 1 && trust[0].Status == StatusOK && name.Status == StatusOK {
		return []Line{{Status: StatusOK, Text: trust[0].Text + ", and " + name.Text}}
	}
	return append(trust, name)
}

// trust says where the chain leads, and what is missing.
func (a autopsy) trust() (lines []Line) {
	switch f := a.facts; {
	case len(f.Path) > 0:
		lines = append(lines, Line{Status: StatusOK, Text: "leads to " + subjectOf(&f.Path[len(f.Path)-1]) + ", which this machine trusts"})
	case f.Verify == session.VerifyIncomplete:
		lines = append(lines, Line{Status: StatusFail, Text: a.missing()})
	case f.Verify != session.VerifyOK && f.Verify != session.VerifyExpired && f.Verify != session.VerifyNotYetValid:
		lines = append(lines, Line{Status: StatusFail, Text: printable(f.Error)})
	}
	if a.facts.Interceptor != "" {
		lines = append(lines, Line{Status: StatusFail, Text: "somebody seems to stand in between and to show a certificate of its own: " + printable(a.facts.Interceptor)})
	}
	return lines
}

// missing words a chain that stops short of a root.
func (a autopsy) missing() string {
	last := &a.facts.Chain[len(a.facts.Chain)-1]
	if path := walk(a.facts.Chain); len(path) > 0 {
		last = &a.facts.Chain[path[len(path)-1]]
	}
	text := "the certificate of " + issuerOf(last) + " is missing behind it"
	if len(a.facts.Repaired) == 0 {
		return text + ": few mail programs look for it elsewhere, the others refuse the chain"
	}
	if len(last.AIA) > 0 {
		text += "; it is published at " + printable(last.AIA[0])
	}
	return text + ", and with it the chain leads to a trusted root: the smarthost has to send it"
}

// name says whether the certificate is for this host.
func (a autopsy) name() Line {
	leaf := &a.facts.Chain[0]
	for _, name := range leaf.Names {
		if covers(name, a.host) {
			if name == a.host {
				return Line{Status: StatusOK, Text: "is for " + a.host}
			}
			return Line{Status: StatusOK, Text: fmt.Sprintf("is for %s: %q covers it", a.host, name)}
		}
	}
	text := fmt.Sprintf("is not for %s, but for %s", a.host, leafNames(leaf))
	if star := a.tooDeep(leaf.Names); star != "" {
		text += fmt.Sprintf("; %q stands for one part of a name, not for several", star)
	}
	return Line{Status: StatusFail, Text: text}
}

// covers asks the library whether a certificate with that name is one for host.
func covers(name, host string) bool {
	host, _, _ = strings.Cut(host, "%") // certificates know no zones
	var c x509.Certificate
	if ip := net.ParseIP(name); ip != nil {
		c.IPAddresses = []net.IP{ip}
	} else {
		c.DNSNames = []string{name}
	}
	return c.VerifyHostname(host) == nil
}

// tooDeep finds a wildcard that would cover the host if it stood for more than
// one label (RFC 9525, section 6.3).
func (a autopsy) tooDeep(names []string) string {
	i := slices.IndexFunc(names, func(name string) bool {
		base, isWild := strings.CutPrefix(name, "*")
		return isWild && strings.HasSuffix(a.host, strings.ToLower(base))
	})
	if i < 0 {
		return ""
	}
	return printable(names[i])
}

// leafNames lists the names of a certificate.
func leafNames(c *session.Certificate) string {
	if len(c.Names) == 0 {
		return "no name at all (the common name does not count, RFC 9525)"
	}
	var names []string
	for _, name := range c.Names {
		names = append(names, printable(name))
	}
	return list(names)
}

// subjectOf is a short name of a certificate: public authorities leave the
// subject of a server's empty.
func subjectOf(c *session.Certificate) string {
	if name := shortName(c.Subject); name != "" || len(c.Names) == 0 {
		return quoted(name)
	}
	return quoted(c.Names[0])
}

func issuerOf(c *session.Certificate) string {
	if c.Issuer == c.Subject {
		return "itself"
	}
	return quoted(shortName(c.Issuer))
}

func quoted(name string) string { return `"` + printable(name) + `"` }

// shortName reads the common name out of a distinguished name as RFC 2253
// writes it; all of it when there is none.
func shortName(dn string) string {
	for part, rest := "", dn; rest != ""; {
		part, rest = cutPart(rest)
		if name, ok := strings.CutPrefix(part, "CN="); ok {
			return plainName(name)
		}
	}
	return dn
}

// cutPart takes the first part off, up to a comma or plus that is not escaped.
func cutPart(dn string) (part, rest string) {
	for i := 0; i < len(dn); i++ {
		switch dn[i] {
		case '\\':
			i++
		case ',', '+':
			return dn[:i], dn[i+1:]
		}
	}
	return dn, ""
}

// plainName takes the escapes out of a name.
func plainName(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
