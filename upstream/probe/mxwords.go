package probe

import (
	"fmt"
	"strings"
	"time"
)

// lines are what a check says of mail exchangers: of the recipient's domain
// always, of those around the smarthost's name where it is theirs.
func (m *mailRoutes) lines() (lines []Line) {
	took := time.Since(m.began)
	for _, r := range m.routes {
		mine := m.exchangerOf(r)
		if r.domain != m.to && mine == "" {
			continue
		}
		lines = append(lines, r.line(mine))
		lines = append(lines, r.oddities()...)
	}
	if len(m.x.known.mailFor) == 0 {
		lines = append(lines, m.smarthostLine())
	}
	lines[0].Took = took
	return lines
}

// smarthostLine says that the smarthost is nobody's mail exchanger, as most
// are, or that this could not be found out.
func (m *mailRoutes) smarthostLine() Line {
	var others, unknown []string
	for _, r := range m.routes {
		switch {
		case r.domain == m.to:
		case len(r.hosts) > 0 && !r.implicit:
			others = append(others, fmt.Sprintf("that of %s is %s", r.domain, r.hosts[0].name))
		case r.unknown():
			unknown = append(unknown, fmt.Sprintf("%s (%s)", r.domain, r.fault.Text))
		}
	}
	host := m.x.target.Host
	switch {
	case len(unknown) > 0:
		return Line{Status: StatusWarn, Text: fmt.Sprintf("whether %s is a mail exchanger is not known, for want of an answer about %s", host, strings.Join(unknown, ", "))}
	case len(others) > 0:
		return Line{Status: StatusOK, Text: fmt.Sprintf("%s is a smarthost and no mail exchanger: %s", host, others[0])}
	}
	return Line{Status: StatusOK, Text: host + " is a smarthost: as far as its name tells, it is no domain's mail exchanger"}
}

// unknown reports that the DNS did not tell.
func (r mailRoute) unknown() bool {
	return len(r.hosts) == 0 && !r.null && r.fault != nil && r.cause() == ""
}

// line says where mail for a domain goes; mine is the smarthost's name there.
// None of it fails: a smarthost may know a way that the DNS here does not, and
// where it knows none, its own reply to RCPT says so.
func (r mailRoute) line(mine string) Line {
	cause := r.cause()
	switch {
	case r.null:
		return Line{Status: StatusWarn, Text: fmt.Sprintf("%s declares that it takes no mail (a null MX, RFC 7505): a message to it is given up, unless the smarthost has a way of its own", r.domain)}
	case cause != "" && len(r.hosts) == 0:
		return Line{Status: StatusWarn, Text: fmt.Sprintf("%s has neither a mail exchanger nor an address: %s; check the spelling of the recipient, unless the smarthost has a way of its own", r.domain, r.fault.Text)}
	case cause != "":
		return Line{Status: StatusWarn, Text: fmt.Sprintf("no mail exchanger of %s has an address, so that no mail arrives there, unless the smarthost has a way of its own: %s", r.domain, r.names())}
	case len(r.hosts) == 0:
		return Line{Status: StatusWarn, Text: fmt.Sprintf("where mail for %s goes is not known: %s", r.domain, r.fault.Text)}
	case r.implicit:
		return Line{Status: StatusOK, Text: fmt.Sprintf("mail for %s goes to its own address: it has no mail exchanger (RFC 5321, section 5.1)", r.domain)}
	case mine != "":
		return Line{Status: StatusOK, Text: fmt.Sprintf("%s is a mail exchanger of %s: %s", mine, r.domain, r.names())}
	}
	return Line{Status: StatusOK, Text: fmt.Sprintf("mail for %s goes on to %s", r.domain, r.names())}
}

func (r mailRoute) names() string {
	var names []string
	for _, h := range r.hosts {
		names = append(names, fmt.Sprintf("%s (%d)", orElse(h.name, "."), h.preference))
	}
	return list(names)
}

// oddities are a line for each exchanger that senders may stumble over.
func (r mailRoute) oddities() (lines []Line) {
	for _, h := range r.hosts {
		text := ""
		switch {
		case r.implicit:
		case h.name == "":
			text = fmt.Sprintf("%s has a null MX beside others, which means nothing (RFC 7505, section 3)", r.domain)
		case h.literal:
			text = fmt.Sprintf("the mail exchanger %s of %s is an address: a name has to stand there, and many senders find no host (RFC 5321, section 5.1)", h.name, r.domain)
		case len(h.addrs) == 0 && h.fault != nil:
			text = fmt.Sprintf("the mail exchanger %s of %s has no address: %s", h.name, r.domain, h.fault.Text)
		case h.alias != "":
			text = fmt.Sprintf("the mail exchanger %s of %s is an alias of %s: it has to have addresses of its own (RFC 5321, section 5.1)", h.name, r.domain, h.alias)
		default:
			continue
		}
		if text != "" {
			lines = append(lines, Line{Status: StatusWarn, Text: text})
		}
	}
	return lines
}
