package replay

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
)

// reach is how a session came to its upstream.
type reach struct {
	dialled  *session.Dial // the attempt that stood
	took     time.Duration
	failed   []string // addresses with what they answered
	lookups  facts    // by name and type: the answers, sorted
	answered []string // all addresses that were found
}

func reached(entries []session.Entry) (r reach) {
	for i := range entries {
		e := &entries[i]
		switch {
		case e.Kind == session.KindProbe, len(r.lookups)+len(r.failed) >= mostListed:
		case e.Lookup != nil:
			r.lookup(e)
		case e.Dial != nil && e.Kind == session.KindOpen:
			r.dialled, r.took = e.Dial, e.Dial.Duration
		case e.Dial != nil && e.Fault != nil:
			r.failed = append(r.failed, e.Dial.Addr+" "+string(e.Fault.Class))
		}
	}
	return r
}

func (r *reach) lookup(e *session.Entry) {
	l := e.Lookup
	answers := slices.Sorted(slices.Values(l.Answers))
	r.answered = append(r.answered, answers...)
	text := strings.Join(answers, " ")
	if text == "" {
		text = l.Rcode
	}
	if e.Fault != nil {
		text = string(e.Fault.Class)
	}
	r.lookups = append(r.lookups, fact{"look-up of " + l.Name + " " + l.Type, text})
}

// diffReach compares look-ups and addresses.
func diffReach(x, y Recording) []Difference {
	a, b := reached(x.Entries), reached(y.Entries)
	all := compareFacts(RankReach, a.lookups, b.lookups)
	all = append(all, compareSets(RankReach, "address that failed", a.failed, b.failed)...)
	if a.dialled == nil || b.dialled == nil {
		if a.dialled != b.dialled {
			all = append(all, Difference{RankReach, "connection to the upstream", addressOf(a.dialled), addressOf(b.dialled), otherwise(addressOf(a.dialled), addressOf(b.dialled))})
		}
		return all
	}
	if a.dialled.Addr != b.dialled.Addr && !inTurn(a, b) {
		all = append(all, Difference{RankReach, "address", a.dialled.Addr, b.dialled.Addr, "another address"})
	}
	return append(all, slower(session.PhaseConnect, "connecting", a.took, b.took)...)
}

func addressOf(d *session.Dial) string {
	if d == nil {
		return ""
	}
	return d.Addr
}

// inTurn reports whether two addresses are of one set that the DNS gives out in
// turn.
func inTurn(a, b reach) bool {
	one, err1 := netip.ParseAddrPort(a.dialled.Addr)
	two, err2 := netip.ParseAddrPort(b.dialled.Addr)
	return err1 == nil && err2 == nil && one.Port() == two.Port() &&
		slices.Contains(b.answered, one.Addr().String()) && slices.Contains(a.answered, two.Addr().String())
}
