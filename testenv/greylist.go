package testenv

import (
	"strings"
	"sync"
)

// maxGrey bounds the memory of a [greylist]. When it is full, newcomers pass.
const maxGrey = 10000

// greylist defers the first RCPT of each pair of sender and recipient, as
// postgrey does, without its waiting time.
type greylist struct {
	mu   sync.Mutex
	seen map[string]bool
}

func newGreylist() *greylist { return &greylist{seen: make(map[string]bool)} }

// defers reports whether this RCPT is the first of its pair. Only recipients
// named greylist, or greylist-something, are deferred at all.
func (g *greylist) defers(from, to string) bool {
	if !strings.HasPrefix(strings.ToLower(to), "greylist") {
		return false
	}
	pair := from + "\x00" + to
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.seen[pair] || len(g.seen) >= maxGrey {
		return false
	}
	g.seen[pair] = true
	return true
}
