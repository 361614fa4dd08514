package probe

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

const nameDNS = "dns"

// DNSStep looks the smarthost up as a session does.
func (steps) DNSStep() step {
	return step{
		name: nameDNS, rank: 11,
		about: "the smarthost's addresses and aliases, looked up as a session does",
		run:   runDNS,
	}
}

func runDNS(ctx context.Context, x *examination) {
	host := x.target.Host
	if addr, err := netip.ParseAddr(host); err == nil {
		x.known.addrs = []netip.Addr{addr}
		x.say(nameDNS, Line{Status: StatusOK, Text: host + " is an address: there is no name to look up"})
		x.sayKinds()
		return
	}
	began := time.Now()
	n := named{host: host, answers: x.prober.options.Connector.Addresses(ctx, host)}
	if ctx.Err() != nil {
		return
	}
	x.known.addrs, x.known.alias = n.addrs(), n.alias()
	for _, l := range n.lines() {
		x.say(nameDNS, l)
	}
	x.sayKinds()
	e := n.entry()
	e.Probe.Duration = time.Since(began)
	x.answer(x.prober.answer(x.target, e))
}

// sayKinds names the addresses that are not those of a host on the internet,
// all of one kind on one line.
func (x *examination) sayKinds() {
	var kinds []addressKind
	of := map[addressKind][]netip.Addr{}
	for _, addr := range x.known.addrs {
		kind := kindOf(addr)
		if len(of[kind]) == 0 {
			kinds = append(kinds, kind)
		}
		of[kind] = append(of[kind], addr)
	}
	public := len(of[addressKind{}]) > 0
	for _, kind := range kinds {
		status, are := StatusOK, "is"
		if kind.odd || public && !kind.beside {
			status = StatusWarn
		}
		if len(of[kind]) > 1 {
			are = "are each"
		}
		if kind.words != "" {
			x.say(nameDNS, Line{Status: status, Text: fmt.Sprintf("%s %s %s", addrWords(of[kind]), are, kind.words)})
		}
	}
}

// named is what is known of a host by its name.
type named struct {
	host    string
	answers []upstream.Resolution // A, then AAAA; or one from the hosts file
}

func (n named) addrs() (addrs []netip.Addr) {
	for _, a := range n.answers {
		addrs = append(addrs, a.Addrs...)
	}
	return addrs
}

// aliases are the names that the host's name leads to, in order.
func (n named) aliases() []string {
	for _, a := range n.answers {
		if len(a.Lookup.CNAME) > 0 {
			return a.Lookup.CNAME
		}
	}
	return nil
}

// alias is the name at the end of the aliases; empty without any.
func (n named) alias() string {
	if list := n.aliases(); len(list) > 0 {
		return list[len(list)-1]
	}
	return ""
}

// lines word the answers: one for what was found, then one for each family
// that could not be had.
func (n named) lines() []Line {
	var took time.Duration
	for _, a := range n.answers {
		took = max(took, a.Lookup.Duration)
	}
	if len(n.addrs()) == 0 {
		why, means := n.missing()
		return []Line{{Status: StatusFail, Took: took, Text: why + "; " + means}}
	}
	lines := []Line{{Status: StatusOK, Took: took, Text: n.found()}}
	for _, a := range n.answers {
		if a.Fault != nil && a.Fault.Class != session.FaultNoSuchHost {
			lines = append(lines, Line{Status: StatusWarn, Took: a.Lookup.Duration, Text: fmt.Sprintf(
				"the %s question has no answer: %s; the smarthost may have addresses that are not known here", a.Lookup.Type, a.Fault.Text)})
		}
	}
	return lines
}

// found words where the host is, by whom, and for how long that is good.
func (n named) found() string {
	text := fmt.Sprintf("%s is %s", n.host, addrWords(n.addrs()))
	if list := n.aliases(); len(list) > 0 {
		text = fmt.Sprintf("%s is an alias of %s, which is %s", n.host, strings.Join(list, ", an alias of "), addrWords(n.addrs()))
	}
	if n.answers[0].Lookup.Type == "hosts" {
		return n.answers[0].Text
	}
	var facts []string
	for _, a := range n.answers {
		if len(a.Addrs) == 0 {
			continue
		}
		fact := fmt.Sprintf("%s in %s", a.Lookup.Type, rounded(a.Lookup.Duration))
		if a.TTL > 0 {
			fact += fmt.Sprintf(", good for %.0fs", a.TTL.Seconds())
		}
		facts = append(facts, fact)
	}
	return fmt.Sprintf("%s (%s; says %s)", text, strings.Join(facts, "; "), n.answers[0].Lookup.Server)
}

// missing words why there is no address, in the resolver's words, and whose
// trouble that is.
func (n named) missing() (why, means string) {
	var said []string
	means = "check the spelling of the name, and whether its zone has lost it"
	for _, a := range n.answers {
		if a.Fault == nil {
			continue
		}
		if !slices.Contains(said, a.Fault.Text) {
			said = append(said, a.Fault.Text)
		}
		if a.Fault.Class != session.FaultNoSuchHost {
			means = "the DNS fails, not the smarthost: see whether another server has an answer (--resolver)"
		}
	}
	return fmt.Sprintf("%s has no address: %s", n.host, orElse(strings.Join(said, "; "), "no answer")), means
}

// entry is the answer for the diagnosis.
func (n named) entry() session.Entry {
	e := session.Entry{Phase: session.PhaseConnect, Probe: &session.Probe{Name: nameDNS, Result: resultOK}}
	for _, addr := range n.addrs() {
		e.Probe.Found = append(e.Probe.Found, session.Found{What: addr.String(), Result: resultOK, Text: kindOf(addr).words})
	}
	if len(e.Probe.Found) > 0 {
		e.Text = n.found()
		return e
	}
	e.Text, _ = n.missing()
	e.Probe.Result, e.Probe.Cause = resultFail, "connect.dns-no-such-host"
	for _, a := range n.answers {
		if a.Fault != nil && (e.Fault == nil || a.Fault.Class != session.FaultNoSuchHost) {
			e.Fault = a.Fault
		}
	}
	if e.Fault == nil || e.Fault.Class != session.FaultNoSuchHost {
		e.Probe.Cause = "connect.dns-failure"
	}
	return e
}
