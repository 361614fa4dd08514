package diagnose

import (
	"sync"

	"smtp-proxy/inspect/rules"
)

// How many answers are remembered, and of how long a question, in octets.
const (
	maxProviders     = 256
	maxProviderHints = 4 << 10
)

// providers remembers which provider was told by what: most sessions go to a
// smarthost that says the same each time, and asking looks for hundreds of
// words. The zero value is ready.
type providers struct {
	mu    sync.Mutex
	known map[rules.Hints]string
}

// of returns the provider that the hints tell, or an empty string.
func (p *providers) of(set *rules.Set, h rules.Hints) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, ok := p.known[h]
	if ok {
		return id
	}
	id = set.Provider(h)
	if len(h.Banner)+len(h.EHLO) > maxProviderHints {
		return id
	}
	if len(p.known) >= maxProviders || p.known == nil {
		p.known = map[rules.Hints]string{}
	}
	p.known[h] = id
	return id
}
