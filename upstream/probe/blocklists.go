package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

const (
	nameBlocklists   = "dnsbl"
	causeBlocklisted = "reputation.ip-blocklisted"
)

// The bounds of asking the lists.
const (
	maxAddresses = 64              // remembered
	listsTime    = 5 * time.Second // for all lists together
)

// listMemory has the data, and remembers what the lists said of an address.
type listMemory struct {
	data func() ([]blocklist, error)

	mu  sync.Mutex
	all map[netip.Addr]listed
}

// listed is what the lists said of one address.
type listed struct {
	at       time.Time
	opinions []listOpinion
}

func newListMemory() *listMemory {
	return &listMemory{
		data: sync.OnceValues(func() ([]blocklist, error) { return loadBlocklists(blocklistsFile) }),
		all:  map[netip.Addr]listed{},
	}
}

func (m *listMemory) recall(addr netip.Addr, o Options) (listed, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, ok := m.all[addr]
	return l, ok && o.Now().Sub(l.at) < max(o.Keep, perAddress)
}

func (m *listMemory) keep(addr netip.Addr, l listed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	makeRoom(m.all, maxAddresses)
	m.all[addr] = l
}

// Blocklists asks the DNS blocklists about an address, once an hour at most.
// The result is fail when one of them has it, ok when at least one is known not
// to and none has it, and skip otherwise. The cause is set when that alone may
// be why mail is refused.
func (p *Prober) Blocklists(ctx context.Context, addr netip.Addr) session.Entry {
	about := upstream.Target{Name: addr.String()}
	l, cached, err := p.listed(ctx, addr)
	if err != nil {
		return p.answer(about, skipped(nameBlocklists, err))
	}
	e := l.entry(addr)
	e.Probe.Cached = cached
	if heaviest(l.opinions).order() > weightMinor.order() {
		e.Probe.Cause = causeBlocklisted
	}
	return p.answer(about, e)
}

// listed returns what the lists say of an address, remembered or asked. While
// one session asks, others that want the same wait for its answer.
func (p *Prober) listed(ctx context.Context, addr netip.Addr) (l listed, cached bool, err error) {
	if why := unlistable(addr); why != "" {
		return listed{}, false, errors.New(why)
	}
	leave, err := p.gate.enter(ctx, upstream.Target{Name: nameBlocklists + " " + addr.String()})
	if err != nil {
		return listed{}, false, err
	}
	defer leave()
	if l, ok := p.lists.recall(addr, p.options); ok {
		return l, true, nil
	}
	lists, err := p.lists.data()
	if err != nil {
		return listed{}, false, err
	}
	if err := p.budget.lookUp(addr.String(), p.options.Now()); err != nil {
		return listed{}, false, err
	}
	limited, cancel := context.WithTimeout(ctx, min(listsTime, p.options.Timeout))
	defer cancel()
	l = listed{at: p.options.Now(), opinions: askLists(limited, p.options.Connector, lists, addr)}
	if ctx.Err() != nil { // cut off: what is missing is not the lists' doing
		p.budget.giveBack(addr.String())
		return listed{}, false, fmt.Errorf("ask the blocklists about %s: %w", addr, ctx.Err())
	}
	p.lists.keep(addr, l)
	return l, false, nil
}

// unlistable says why no list can know an address; empty when one can.
func unlistable(addr netip.Addr) string {
	switch {
	case !addr.IsValid():
		return "this machine's public address is not known"
	case !public(addr):
		return fmt.Sprintf("%s is an address of a private network, which no list knows", addr)
	}
	return ""
}

// entry makes the record of it.
func (l listed) entry(addr netip.Addr) session.Entry {
	e := session.Entry{Text: listSummary(addr, l.opinions), Probe: &session.Probe{Name: nameBlocklists, Result: resultSkip}}
	for _, o := range l.opinions {
		e.Probe.Found = append(e.Probe.Found, session.Found{What: o.list.Zone, Result: o.result, Text: o.whole()})
		e.Probe.Duration = max(e.Probe.Duration, o.took)
	}
	switch {
	case countOf(l.opinions, listListed) > 0:
		e.Probe.Result = resultFail
	case countOf(l.opinions, listClear) > 0:
		e.Probe.Result = resultOK
	}
	return e
}

// whole is all that is known of a list's answer.
func (o listOpinion) whole() string {
	text := o.text
	if o.said != "" {
		text += fmt.Sprintf("; the list says %q", o.said)
	}
	if o.page != "" {
		text += "; look up and remove: " + o.page
	}
	return text
}

// listSummary is one sentence about all lists.
func listSummary(addr netip.Addr, all []listOpinion) string {
	var parts []string
	if on := namesOf(all, listListed); len(on) > 0 {
		parts = append(parts, fmt.Sprintf("%s is listed by %s", addr, list(on)))
	}
	if n := countOf(all, listClear); n > 0 && len(parts) > 0 {
		parts = append(parts, "not by "+plural(n, "other list"))
	} else if n > 0 {
		parts = append(parts, fmt.Sprintf("%s is not listed by %s", addr, list(namesOf(all, listClear))))
	}
	if without := without(all); len(without) > 0 {
		parts = append(parts, "no usable answer of "+list(without))
	}
	if !decided(all) {
		return "not tested: " + strings.Join(parts, "; ")
	}
	return strings.Join(parts, "; ")
}

// decided reports whether any list has said something that can be believed.
func decided(all []listOpinion) bool {
	return countOf(all, listListed)+countOf(all, listClear) > 0
}

func countOf(all []listOpinion, result string) int { return len(namesOf(all, result)) }

func namesOf(all []listOpinion, results ...string) (names []string) {
	for _, o := range all {
		if slices.Contains(results, o.result) {
			names = append(names, o.list.Name)
		}
	}
	return names
}

// without names the lists that said nothing that can be believed.
func without(all []listOpinion) []string {
	return namesOf(all, listRefused, listSilent, listUnusable)
}

// heaviest is the weight of the heaviest listing; empty when there is none.
func heaviest(all []listOpinion) (most weight) {
	for _, o := range all {
		if o.result == listListed && o.weight.order() > most.order() {
			most = o.weight
		}
	}
	return most
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
