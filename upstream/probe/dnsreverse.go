package probe

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"smtp-proxy/upstream"
)

const nameReverse = "reverse"

// The bounds of asking for reverse names.
const (
	maxReversed  = 8 // addresses
	maxPTR       = 4 // names of one address
	reverseWait  = 5 * time.Second
	reverseRank  = 13
	withoutNames = "only the operating system knows which DNS servers it asks, and they are asked for more than addresses here: name one with --resolver"
)

// ReverseStep asks for the names of the smarthost's addresses. It is a step of
// its own because reverse zones are often broken, and nothing waits for it.
func (steps) ReverseStep() step {
	return step{
		name: nameReverse, rank: reverseRank, after: []string{nameDNS},
		about: "the names of the smarthost's addresses (PTR), and whether those lead back",
		run:   runReverse,
	}
}

func runReverse(ctx context.Context, x *examination) {
	c := x.prober.options.Connector
	addrs := slices.DeleteFunc(slices.Clone(x.known.addrs), netip.Addr.IsLoopback)
	switch {
	case len(x.known.addrs) == 0:
		x.say(nameReverse, Line{Status: StatusSkip, Text: "there is no address to ask for"})
		return
	case len(addrs) == 0:
		x.say(nameReverse, Line{Status: StatusSkip, Text: "this machine itself needs no name"})
		return
	case len(c.Resolvers()) == 0:
		x.say(nameReverse, Line{Status: StatusSkip, Text: withoutNames})
		return
	}
	began := time.Now()
	list := reversed(ctx, c, addrs[:min(len(addrs), maxReversed)])
	if ctx.Err() != nil {
		return
	}
	for _, l := range reverseLines(list, time.Since(began)) {
		x.say(nameReverse, l)
	}
}

// reverseName is what is known of an address by its PTR records.
type reverseName struct {
	addr      netip.Addr
	names     []string
	confirmed string // the name that leads back to the address; empty when none does
	why       string // the resolver's word where there is no name
}

func reversed(ctx context.Context, c *upstream.Connector, addrs []netip.Addr) []reverseName {
	ctx, cancel := context.WithTimeout(ctx, reverseWait)
	defer cancel()
	list := make([]reverseName, len(addrs))
	var asking sync.WaitGroup
	for i, addr := range addrs {
		asking.Go(func() { list[i] = reverseOf(ctx, c, addr) })
	}
	asking.Wait()
	return list
}

// reverseOf asks for the names of an address, and for the addresses of those.
func reverseOf(ctx context.Context, c *upstream.Connector, addr netip.Addr) reverseName {
	r := reverseName{addr: addr}
	question, err := dns.ReverseAddr(addr.WithZone("").String())
	if err != nil {
		r.why = err.Error()
		return r
	}
	records := c.Lookup(ctx, question, dns.TypePTR)
	if records.Fault != nil {
		r.why = records.Fault.Text
	}
	for _, rr := range records.List[:min(len(records.List), maxPTR)] {
		name := strings.ToLower(strings.TrimSuffix(rr.(*dns.PTR).Ptr, "."))
		r.names = append(r.names, name)
		if r.confirmed == "" && slices.Contains(addressesLike(ctx, c, name, addr), addr) {
			r.confirmed = name
		}
	}
	return r
}

// addressesLike asks the DNS for the addresses of a name in the family of like.
func addressesLike(ctx context.Context, c *upstream.Connector, name string, like netip.Addr) (addrs []netip.Addr) {
	qtype := dns.TypeA
	if like.Is6() {
		qtype = dns.TypeAAAA
	}
	for _, rr := range c.Lookup(ctx, name, qtype).List {
		if addr, ok := addrOfRecord(rr); ok {
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

func addrOfRecord(rr dns.RR) (netip.Addr, bool) {
	var raw []byte
	switch r := rr.(type) {
	case *dns.A:
		raw = r.A.To4()
	case *dns.AAAA:
		raw = r.AAAA.To16()
	}
	addr, ok := netip.AddrFromSlice(raw)
	return addr.Unmap(), ok
}

// reverseLines put those that are in order on one line, and the others on one
// each.
func reverseLines(list []reverseName, took time.Duration) (lines []Line) {
	var good []string
	for _, r := range list {
		switch {
		case r.confirmed != "":
			good = append(good, fmt.Sprintf("%s is %s, and back", r.addr, r.confirmed))
		case len(r.names) > 0:
			lines = append(lines, Line{Status: StatusWarn, Took: took, Text: fmt.Sprintf(
				"%s calls itself %s, which does not lead back to it: anyone can claim such a name", r.addr, strings.Join(r.names, ", "))})
		default:
			lines = append(lines, Line{Status: StatusWarn, Took: took, Text: fmt.Sprintf(
				"%s has no name: %s; it matters to a smarthost that delivers from this address", r.addr, r.why)})
		}
	}
	if len(good) > 0 {
		lines = append([]Line{{Status: StatusOK, Took: took, Text: strings.Join(good, "; ")}}, lines...)
	}
	return lines
}
