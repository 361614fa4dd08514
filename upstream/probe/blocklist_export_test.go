package probe

import (
	"context"
	"net/netip"

	"smtp-proxy/proxy/session"
)

// Blocklist is one list of the data, for tests.
type Blocklist = blocklist

// LoadBlocklists reads data in the form of blocklists.toml; empty text stands
// for that file.
func LoadBlocklists(text string) ([]Blocklist, error) {
	if text == "" {
		text = blocklistsFile
	}
	return loadBlocklists(text)
}

// QuestionTo is the name that a list is asked for.
func QuestionTo(l Blocklist, addr netip.Addr) string { return l.question(addr) }

// Mentions returns the addresses in a text, and what stands for each there.
func Mentions(text string) (addrs []netip.Addr, literals []string) {
	for _, m := range mentionsIn(text) {
		addrs, literals = append(addrs, m.addr), append(literals, m.literal)
	}
	return addrs, literals
}

// Generic says why a name looks like a provider's for a line.
func Generic(name string, addr netip.Addr) string { return generic(name, addr) }

// EgressLines takes the steps egress and dnsbl behind a dialogue.
func (p *Prober) EgressLines(ctx context.Context, dialogue []session.Entry, blocklists bool) ([]Line, []session.Entry) {
	x := &examination{prober: p, step: map[string]*rungs{}}
	x.want.Blocklists = blocklists
	x.known.dialogue = dialogue
	var lines []Line
	for _, s := range []step{(steps{}).EgressStep(), (steps{}).BlocklistsStep()} {
		x.step[s.name] = &rungs{news: make(chan struct{}, 1)}
		s.run(ctx, x)
		lines = append(lines, x.step[s.name].lines...)
	}
	return lines, x.answers
}
