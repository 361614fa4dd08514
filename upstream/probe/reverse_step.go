package probe

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"smtp-proxy/upstream"
)

const nameReverse = "reverse"

// The bounds of asking for reverse names.
const (
	maxReversed  = 8 // addresses
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

func reversed(ctx context.Context, c *upstream.Connector, addrs []netip.Addr) []naming {
	ctx, cancel := context.WithTimeout(ctx, reverseWait)
	defer cancel()
	list := make([]naming, len(addrs))
	var asking sync.WaitGroup
	for i, addr := range addrs {
		asking.Go(func() { list[i] = nameOf(ctx, c, addr) })
	}
	asking.Wait()
	return list
}

// reverseLines put those that are in order on one line, and the others on one
// each.
func reverseLines(all []naming, took time.Duration) (lines []Line) {
	var good []string
	for _, n := range all {
		if n.leadsBack() {
			good = append(good, fmt.Sprintf("%s is %s, and back", n.addr, n.names[0]))
			continue
		}
		l := Line{Status: StatusWarn, Took: took}
		switch n.state {
		case nameUnconfirmed:
			l.Text = fmt.Sprintf("%s calls itself %s, which does not lead back to it: anyone can claim such a name", n.addr, list(n.names))
		case nameNone:
			l.Text = fmt.Sprintf("%s has no name: %s; it matters to a smarthost that delivers from this address", n.addr, n.why)
		default:
			l.Status, l.Text = StatusSkip, fmt.Sprintf("the name of %s was not found out: %s", n.addr, n.why)
		}
		lines = append(lines, l)
	}
	if len(good) > 0 {
		lines = append([]Line{{Status: StatusOK, Took: took, Text: strings.Join(good, "; ")}}, lines...)
	}
	return lines
}
