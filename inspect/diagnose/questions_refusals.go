package diagnose

import (
	"net/netip"
	"slices"

	"smtp-proxy/proxy/session"
)

// blamed is a reply that a finding points at.
type blamed struct {
	*session.Entry
	cause string
}

// refusals returns the replies that the session's findings point at.
func (f *facts) refusals() (list []blamed) {
	for _, x := range f.s.Findings {
		for _, proof := range x.Evidence {
			i, ok := slices.BinarySearchFunc(f.s.Events, proof.Event, func(e session.Entry, seq int) int { return e.Seq - seq })
			if ok && f.s.Events[i].Code >= 400 {
				list = append(list, blamed{&f.s.Events[i], x.Cause})
			}
		}
	}
	return list
}

// addressIn is the address that a refusal names. It need not be this
// machine's: a smarthost passes on what was said of its own.
func addressIn(text string) netip.Addr {
	addr, err := netip.ParseAddr(textValues(text)["egress"])
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap()
}

// abroad reports whether what the world knows of an address can have to do with
// a refusal: a smarthost on this machine sees none, unless it passes on the
// words of others.
func (f *facts) abroad(named netip.Addr) bool {
	if named.IsValid() {
		return named.IsGlobalUnicast() && !named.IsPrivate()
	}
	at, err := netip.ParseAddrPort(f.s.Upstream.Addr)
	return err != nil || !at.Addr().IsLoopback()
}
