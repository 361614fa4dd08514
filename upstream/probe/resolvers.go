package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

const nameResolvers = "resolvers"

// The results of one DNS server, as they stand in [session.Found].
const (
	resolverKnows   = resultOK
	resolverDenies  = "no-such-host" // it says that there is no such name, or no address of it
	resolverSilent  = "timeout"
	resolverFailing = "failed"
)

// The bounds of asking DNS servers.
const (
	maxResolvers = 8
	resolverWait = 5 * time.Second // for all of them, side by side
)

// ResolversStep asks each configured DNS server for the smarthost's addresses.
func (steps) ResolversStep() step {
	return step{
		name: nameResolvers, rank: 10,
		about: "each DNS server asked for the smarthost: its time, and whether they agree",
		run:   runResolvers,
	}
}

func runResolvers(ctx context.Context, x *examination) {
	e, list := x.prober.askResolvers(ctx, x.target)
	if ctx.Err() != nil {
		return
	}
	x.answer(x.prober.answer(x.target, e))
	if e.Probe.Result == resultSkip {
		x.say(nameResolvers, Line{Status: StatusSkip, Text: strings.TrimPrefix(e.Text, "not tested: ")})
		return
	}
	for _, l := range list.lines(x.target.Host) {
		x.say(nameResolvers, l)
	}
}

// Resolvers asks each configured DNS server for the addresses of a smarthost,
// side by side. It answers
//
//   - ok: those that answer agree on whether the name has an address;
//   - fail: they do not, or none of them answers;
//   - skip: no DNS server is asked for this name, or none is known.
//
// Found holds the servers in their order, each ok, no-such-host, timeout or
// failed.
func (p *Prober) Resolvers(ctx context.Context, t upstream.Target) session.Entry {
	leave, err := p.gate.enter(ctx, t)
	if err != nil {
		return p.answer(t, skipped(nameResolvers, err))
	}
	defer leave()
	question := nameResolvers + " " + t.Host
	e, ok := p.answers.recall(question, p.options)
	if !ok {
		e, _ = p.askResolvers(ctx, t)
		e = p.answers.keep(question, e, p.options)
	}
	return p.answer(t, e)
}

// askResolvers asks all, unless there is nothing to ask.
func (p *Prober) askResolvers(ctx context.Context, t upstream.Target) (session.Entry, dnsOpinions) {
	c := p.options.Connector
	if why := p.needsNoDNS(t.Host); why != "" {
		return skipped(nameResolvers, errors.New(why)), nil
	}
	servers := c.Resolvers()
	if len(servers) == 0 {
		return skipped(nameResolvers, errors.New("only the operating system knows which DNS servers it asks: name one with --resolver")), nil
	}
	servers = servers[:min(len(servers), maxResolvers)]
	began := time.Now()
	list := askEach(ctx, c, servers, t.Host)
	if ctx.Err() != nil {
		return skipped(nameResolvers, ctx.Err()), nil
	}
	e := list.entry(t.Host)
	e.Probe.Duration = time.Since(began)
	return e, list
}

// needsNoDNS says why no DNS server is asked for a host; empty when one is.
func (p *Prober) needsNoDNS(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return host + " is an address: no DNS server is asked for it"
	}
	if local, ok := p.options.Connector.Local(host); ok {
		return local.Text + ": no DNS server is asked for it"
	}
	return ""
}

// dnsOpinion is what one DNS server says about a host.
type dnsOpinion struct {
	server string
	result string
	addrs  []netip.Addr // sorted
	took   time.Duration
	why    string // where the result is not ok, or one family could not be had
}

// dnsOpinions are those of all servers, in their configured order.
type dnsOpinions []dnsOpinion

func askEach(ctx context.Context, c *upstream.Connector, servers []string, host string) dnsOpinions {
	ctx, cancel := context.WithTimeout(ctx, resolverWait)
	defer cancel()
	list := make(dnsOpinions, len(servers))
	var asking sync.WaitGroup
	for i, server := range servers {
		asking.Go(func() { list[i] = opinionOfServer(server, c.AddressesAt(ctx, server, host)) })
	}
	asking.Wait()
	return list
}

// opinionOfServer sums up the answers about both families. Either of them suffices,
// and it takes both to say that there is nothing.
func opinionOfServer(server string, answers []upstream.Resolution) dnsOpinion {
	o := dnsOpinion{server: server, result: resolverDenies}
	for _, a := range answers {
		o.took = max(o.took, a.Lookup.Duration)
		o.addrs = append(o.addrs, a.Addrs...)
		o.take(a.Fault)
	}
	slices.SortFunc(o.addrs, netip.Addr.Compare)
	if len(o.addrs) > 0 {
		if o.result == resolverDenies {
			o.why = ""
		}
		o.result = resolverKnows
	}
	return o
}

// take notes why a question brought no address. What the server could not
// answer weighs more than what it denies.
func (o *dnsOpinion) take(f *session.Fault) {
	if f == nil {
		return
	}
	why := strings.TrimPrefix(strings.Replace(f.Text, ", says "+o.server, "", 1), o.server+": ")
	switch {
	case f.Class == session.FaultNoSuchHost && o.why == "":
		o.why = why
	case f.Class != session.FaultNoSuchHost:
		o.result, o.why = resolverFailing, why
		if strings.HasSuffix(why, "in time") {
			o.result = resolverSilent
		}
	}
}

// settled reports whether the server has said whether the host exists.
func (o dnsOpinion) settled() bool { return o.result == resolverKnows || o.result == resolverDenies }

func (o dnsOpinion) words() string {
	said := o.why
	if o.result == resolverKnows {
		said = addrWords(o.addrs)
	}
	return fmt.Sprintf("%s in %s", said, rounded(o.took))
}

// of returns the opinions with a result.
func (list dnsOpinions) of(result string) dnsOpinions {
	return slices.DeleteFunc(slices.Clone(list), func(o dnsOpinion) bool { return o.result != result })
}

func (list dnsOpinions) servers() string {
	var names []string
	for _, o := range list {
		names = append(names, o.server)
	}
	return strings.Join(names, ", ")
}

// disagree reports whether some know the host and others say that it does not
// exist.
func (list dnsOpinions) disagree() bool {
	return len(list.of(resolverKnows)) > 0 && len(list.of(resolverDenies)) > 0
}

// entry is the answer for the diagnosis.
func (list dnsOpinions) entry(host string) session.Entry {
	e := session.Entry{Phase: session.PhaseConnect, Probe: &session.Probe{Name: nameResolvers, Result: resultOK}}
	for _, o := range list {
		e.Probe.Found = append(e.Probe.Found, session.Found{What: o.server, Result: o.result, Text: o.words()})
	}
	silent := len(list) - len(list.of(resolverKnows)) - len(list.of(resolverDenies))
	switch {
	case list.disagree():
		e.Probe.Result = resultFail
		e.Text = disagreement(list, host)
	case silent == len(list):
		e.Probe.Result, e.Probe.Cause = resultFail, "connect.dns-failure"
		e.Fault = &session.Fault{Op: "lookup", Class: session.FaultDNS, Text: list[0].why}
		e.Text = fmt.Sprintf("no DNS server answers for %s: %s", host, troubleWords(list))
	case silent > 0:
		e.Text = fmt.Sprintf("%d of %d DNS servers do not answer for %s: %s", silent, len(list), host,
			troubleWords(slices.DeleteFunc(slices.Clone(list), dnsOpinion.settled)))
	default:
		e.Text = agreement(list, host)
	}
	return e
}
