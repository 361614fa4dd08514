package diagnose

import (
	"net"
	"strings"
)

// suggestHost returns a provider's documented host name that differs from the
// configured one by a slip of the finger, or an empty string.
func (f *facts) suggestHost() string {
	host := strings.ToLower(f.host)
	for _, p := range f.set.Providers() {
		known, _, err := net.SplitHostPort(p.Submit)
		if err == nil && known != host && slips(host, known) <= 2 {
			return known
		}
	}
	return ""
}

// slips counts how many letters have to be changed, added, left out or swapped
// with their neighbour to make b of a.
func slips(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
