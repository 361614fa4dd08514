package probe

import (
	"context"
	"net/netip"
	"slices"

	"smtp-proxy/proxy/session"
)

const maxOtherAddrs = 3

// FamilyRemedy tries the other addresses of the host one by one, those of the
// other family first: an app gets any of them, and one may be ill.
func (remedies) FamilyRemedy() remedy { return remedy{cost: 30, propose: otherAddrs} }

func otherAddrs(_ context.Context, _ *search, at outcome) (list []settings) {
	used, known := at.addrs()
	if !used.IsValid() || !at.onTheWay() && !at.failedAt(partMail) || at.began.addr.IsValid() {
		return nil
	}
	known = slices.DeleteFunc(known, func(a netip.Addr) bool { return a == used })
	slices.SortStableFunc(known, func(a, b netip.Addr) int {
		return sameFamily(a, used) - sameFamily(b, used)
	})
	for _, addr := range known[:min(len(known), maxOtherAddrs)] {
		next := at.began
		next.addr = addr
		list = append(list, next)
	}
	return list
}

func sameFamily(a, b netip.Addr) int {
	if a.Is4() == b.Is4() {
		return 1
	}
	return 0
}

// addrs returns the address that was connected to, and all that the host has.
func (o *outcome) addrs() (used netip.Addr, known []netip.Addr) {
	for i := range o.entries {
		e := &o.entries[i]
		if e.Kind == session.KindOpen && e.Dial != nil {
			if at, err := netip.ParseAddrPort(e.Dial.Addr); err == nil {
				used = at.Addr().Unmap()
			}
		}
		if e.Lookup == nil {
			continue
		}
		for _, text := range e.Lookup.Answers {
			if a, err := netip.ParseAddr(text); err == nil && !slices.Contains(known, a) {
				known = append(known, a)
			}
		}
	}
	return used, known
}
