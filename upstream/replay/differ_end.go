package replay

import (
	"smtp-proxy/proxy/session"
)

// diffFaults compares what broke the legs. Behind QUIT a leg may end in any
// way, and failed attempts to connect are compared with the addresses.
func diffFaults(a, b Recording) []Difference {
	all := compareSets(RankRefused, "connection", faultsOf(a.Entries), faultsOf(b.Entries))
	return append(all, compareSets(RankRefused, "the proxy's own dialogue", ownRefusals(a.Entries), ownRefusals(b.Entries))...)
}

// ownRefusals are what the upstream refused to the proxy itself: its STARTTLS
// in the first place.
func ownRefusals(entries []session.Entry) (all []string) {
	for i := range entries {
		if e := &entries[i]; e.Kind == session.KindReply && e.Own && e.Code >= 400 && len(all) < mostListed {
			all = append(all, oneLine(e.Verb+": "+Normal(e.Text)))
		}
	}
	return all
}

func faultsOf(entries []session.Entry) (all []string) {
	for i := range entries {
		e := &entries[i]
		if e.Fault == nil || e.Phase == session.PhaseQuit || e.Dial != nil || e.Lookup != nil || e.Kind == session.KindTLS || e.Kind == session.KindProbe {
			continue
		}
		text := e.Leg.String() + " leg: " + string(e.Fault.Class)
		if e.Fault.Errno != "" {
			text += " (" + e.Fault.Errno + ")"
		}
		if len(all) < mostListed {
			all = append(all, text+" at "+string(e.Phase))
		}
	}
	return all
}

// diffEdits compares what the proxy changed, and what it found unusual.
func diffEdits(a, b Recording) []Difference {
	x, odd := notesOf(a.Entries)
	y, odder := notesOf(b.Entries)
	return append(compareSets(RankEdit, "edit", x, y), compareSets(RankEdit, "oddity", odd, odder)...)
}

func notesOf(entries []session.Entry) (edits, oddities []string) {
	for i := range entries {
		e := &entries[i]
		switch {
		case e.Kind != session.KindNote || len(edits)+len(oddities) >= mostListed:
		case e.Edit:
			edits = append(edits, Normal(e.Text))
		case e.Odd != "":
			oddities = append(oddities, e.Leg.String()+" leg: "+string(e.Odd))
		}
	}
	return edits, oddities
}
