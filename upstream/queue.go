package upstream

import "net/netip"

// queue holds the addresses still to be tried, in the order of RFC 8305,
// section 4: IPv6 first, then the families in turn. IPv6 addresses to which
// this machine has no route come last (RFC 6724, rule 1), so that a machine
// without IPv6 does not begin each session with a failure. IPv4 addresses are
// not asked about: the question costs a tenth of a short session, and an
// attempt without a route fails at once.
type queue struct {
	routable func(netip.Addr) bool
	seen     map[netip.Addr]bool
	v6, v4   []netip.Addr
	last     []netip.Addr
	tookV6   bool // the one taken before was IPv6
}

func newQueue(routable func(netip.Addr) bool) *queue {
	return &queue{routable: routable, seen: map[netip.Addr]bool{}}
}

// add puts addresses in their place, each once, and no more than maxAddrs.
func (q *queue) add(addrs []netip.Addr) {
	for _, addr := range addrs {
		if q.seen[addr] || len(q.seen) >= maxAddrs {
			continue
		}
		q.seen[addr] = true
		switch {
		case addr.Is6() && (addr.IsLoopback() || !q.routable(addr)):
			// A practice server on localhost mostly listens on IPv4 alone.
			q.last = append(q.last, addr)
		case addr.Is6():
			q.v6 = append(q.v6, addr)
		default:
			q.v4 = append(q.v4, addr)
		}
	}
}

func (q *queue) empty() bool { return len(q.v6)+len(q.v4)+len(q.last) == 0 }

// next takes the address whose turn it is; the queue must not be empty.
func (q *queue) next() netip.Addr {
	from := &q.last
	switch {
	case len(q.v6) > 0 && (!q.tookV6 || len(q.v4) == 0):
		from = &q.v6
	case len(q.v4) > 0:
		from = &q.v4
	}
	addr := (*from)[0]
	*from = (*from)[1:]
	q.tookV6 = addr.Is6()
	return addr
}
