package probe

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/idna"

	"smtp-proxy/proxy/session"
)

const nameMX = "mx"

// The bounds of asking for mail exchangers.
const (
	maxParents = 4               // names above the smarthost's own
	mxWait     = 5 * time.Second // for all domains, side by side
)

// MXStep looks for the domains whose mail exchanger the smarthost is. What is
// true of those only, DANE and MTA-STS, is asked by it.
func (steps) MXStep() step {
	return step{
		name: nameMX, rank: 12, after: []string{nameDNS},
		about: "whose mail exchanger the smarthost is, and where mail for --to goes",
		run:   runMX,
	}
}

func runMX(ctx context.Context, x *examination) {
	c := x.prober.options.Connector
	to, own := domainOf(x.want.Script.To), domainsAbove(x.target.Host)
	switch {
	case to == "" && len(own) == 0:
		x.say(nameMX, Line{Status: StatusSkip, Text: fmt.Sprintf("%s is no name in a domain, and no recipient is given (--to)", x.target.Host)})
		return
	case len(c.Resolvers()) == 0:
		x.say(nameMX, Line{Status: StatusSkip, Text: withoutNames})
		return
	}
	began := time.Now()
	m := mailRoutes{x: x, to: to, began: began}
	limited, cancel := context.WithTimeout(ctx, mxWait)
	defer cancel()
	m.ask(limited, own)
	if ctx.Err() != nil {
		return
	}
	m.adopt()
	for _, l := range m.lines() {
		x.say(nameMX, l)
	}
	e := m.entry()
	e.Probe.Duration = time.Since(began)
	x.answer(x.prober.answer(x.target, e))
}

// domainOf is the domain of a mail address; empty where it has none that the
// DNS could know.
func domainOf(address string) string {
	domain := strings.ToLower(strings.TrimSuffix(address[strings.LastIndexByte(address, '@')+1:], "."))
	if !strings.Contains(address, "@") || strings.HasPrefix(domain, "[") {
		return ""
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil { // no name of a host, which the DNS may know all the same
		return domain
	}
	return ascii
}

// domainsAbove are the host's own name and those above it that can be domains
// of mail: no name of one label is.
func domainsAbove(host string) (domains []string) {
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	for name := host; strings.Contains(name, ".") && len(domains) <= maxParents; _, name, _ = strings.Cut(name, ".") {
		domains = append(domains, name)
	}
	return domains
}

// mailRoutes is where mail for some domains goes.
type mailRoutes struct {
	x      *examination
	to     string // the recipient's domain; empty without one
	began  time.Time
	routes []mailRoute // the recipient's domain first, if there is one
}

// ask asks for all domains side by side.
func (m *mailRoutes) ask(ctx context.Context, domains []string) {
	if m.to != "" {
		domains = append([]string{m.to}, slices.DeleteFunc(domains, func(d string) bool { return d == m.to })...)
	}
	m.routes = make([]mailRoute, len(domains))
	var asking sync.WaitGroup
	for i, domain := range domains {
		asking.Go(func() { m.routes[i] = routeOf(ctx, m.x.prober.options.Connector, domain) })
	}
	asking.Wait()
}

// adopt tells the later steps for which domains the smarthost takes mail, and
// under which name.
func (m *mailRoutes) adopt() {
	k := &m.x.known
	for _, r := range m.routes {
		if name := m.exchangerOf(r); name != "" {
			k.mailFor = append(k.mailFor, r.domain)
			k.mailAs = orElse(k.mailAs, name)
		}
	}
}

// exchangerOf is the name under which a domain has the smarthost for a mail
// exchanger; empty when it has not. A smarthost given by its address is known
// by that. Every host is one by its own address for its own name, which says
// something only of a name that mail is addressed to.
func (m *mailRoutes) exchangerOf(r mailRoute) string {
	if r.implicit && r.domain != m.to {
		return ""
	}
	target, _ := netip.ParseAddr(m.x.target.Host)
	for _, h := range r.hosts {
		byName := h.name == m.x.target.Host || h.name == m.x.known.alias
		if byName || target.IsValid() && slices.Contains(h.addrs, target) {
			return h.name
		}
	}
	return ""
}

// entry is the answer for the diagnosis. It fails where mail for the recipient
// cannot arrive; what else is odd concerns others' mail.
func (m *mailRoutes) entry() session.Entry {
	e := session.Entry{Phase: session.PhaseRcpt, Probe: &session.Probe{Name: nameMX, Result: resultOK}}
	var texts []string
	for _, l := range m.lines() {
		texts = append(texts, l.Text)
	}
	e.Text = strings.Join(texts, "; ")
	for _, r := range m.routes {
		if r.domain != m.to && m.exchangerOf(r) == "" {
			continue
		}
		for _, h := range r.hosts {
			e.Probe.Found = append(e.Probe.Found, session.Found{What: h.name, Result: h.result(), Text: fmt.Sprintf("%s, preference %d", r.domain, h.preference)})
		}
		if cause := r.cause(); r.domain == m.to && cause != "" {
			e.Probe.Result, e.Probe.Cause = resultFail, cause
		}
	}
	return e
}
