package probe

import (
	"context"
	"net/netip"
	"slices"
	"strings"
)

// maxSlips is how many slips of the finger a host name is searched for.
const maxSlips = 2

// HostRemedy tries the well-known smarthost that the name is a slip away from,
// and the names that a provider's smarthost has below the domain.
func (remedies) HostRemedy() remedy { return remedy{cost: 90, propose: otherHosts} }

func otherHosts(_ context.Context, s *search, at outcome) (list []settings) {
	host := s.base.began.target.Host
	if _, err := netip.ParseAddr(host); err == nil || !at.failedAt(partConnect, partGreeting) || at.began.target.Host != host {
		return nil
	}
	for _, name := range s.likelyHosts(host) {
		next := at.began
		mode := next.target.Mode
		next.target = reached(next.target, name, next.target.Port)
		next.target.Mode = mode
		list = append(list, next)
	}
	return list
}

// likelyHosts are at most three names that may have been meant.
func (s *search) likelyHosts(host string) (names []string) {
	for slips := 1; slips <= maxSlips; slips++ {
		for _, known := range s.want.Hosts {
			if slipsBetween(host, known) == slips && !slices.Contains(names, known) {
				names = append(names, known)
			}
		}
	}
	first, domain, _ := strings.Cut(host, ".")
	for _, usual := range []string{"smtp", "mail"} {
		switch slips := slipsBetween(first, usual); {
		case slips > 0 && slips <= maxSlips && strings.Contains(domain, "."):
			names = append(names, usual+"."+domain)
		case first != "smtp" && first != "mail" && strings.Count(host, ".") == 1:
			names = append(names, usual+"."+host)
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == host })
	return names[:min(len(names), 3)]
}

// slipsBetween counts the letters to change, add, leave out or swap with their
// neighbour to make b of a.
func slipsBetween(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			switch {
			case i == 0 || j == 0:
				rows[i][j] = i + j
				continue
			case a[i-1] == b[j-1]:
				rows[i][j] = rows[i-1][j-1]
				continue
			}
			rows[i][j] = 1 + min(rows[i-1][j-1], rows[i-1][j], rows[i][j-1])
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
