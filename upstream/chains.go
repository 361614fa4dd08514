package upstream

import (
	"crypto/x509"
	"slices"
	"sync"

	"smtp-proxy/proxy/session"
)

// maxChains bounds how many chains are remembered.
const maxChains = 256

// chains remembers the facts of the chains seen last. A smarthost shows the
// same one in every session: its facts are made once and shared, so that they
// cost neither the handshake nor the store anything the next time. Nobody may
// change them.
type chains struct {
	mu   sync.Mutex
	seen map[chainKey]seenChain
}

// chainKey says which chain of which smarthost: as it was sent, or as it was
// verified.
type chainKey struct {
	host     string
	verified bool
}

type seenChain struct {
	chain []*x509.Certificate
	facts []session.Certificate
}

func newChains() *chains { return &chains{seen: map[chainKey]seenChain{}} }

// facts are those of a chain, remembered or made.
func (c *chains) facts(key chainKey, chain []*x509.Certificate) []session.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	last, ok := c.seen[key]
	if ok && slices.EqualFunc(last.chain, chain, (*x509.Certificate).Equal) {
		return last.facts
	}
	for other := range c.seen {
		if len(c.seen) < maxChains {
			break
		}
		delete(c.seen, other)
	}
	facts := certificates(chain)
	c.seen[key] = seenChain{chain: chain, facts: facts}
	return facts
}
