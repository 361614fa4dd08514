package probe

import (
	"fmt"
	"net/netip"
	"strings"

	"smtp-proxy/proxy/session"
)

// EgressOf returns this machine's address as the smarthost sees it, and how
// that is known, from the entries of a session or dialogue with it. Without a
// public address the first result is the zero Addr and the second says why.
func EgressOf(entries []session.Entry) (netip.Addr, string) {
	for _, read := range []func([]session.Entry) sighting{inHello, inRefusal, onSocket} {
		s := read(entries)
		switch {
		case !s.addr.IsValid():
		case public(s.addr):
			return s.addr, s.how
		default:
			return netip.Addr{}, fmt.Sprintf("the smarthost sees %s, which is no public address: it is on this machine or in its own network (%s)", s.addr, s.how)
		}
	}
	return netip.Addr{}, whyUnknown(entries)
}

// whyUnknown says why no address is known.
func whyUnknown(entries []session.Entry) string {
	why := noConnection
	for i := range entries {
		at, ok := dialled(&entries[i])
		switch {
		case !ok:
		case !public(at.remote):
			why = fmt.Sprintf("the smarthost, %s, is on this machine or in its own network", at.remote)
		default:
			why = fmt.Sprintf("the smarthost does not say which address it sees, and this machine's own, %s, is not public: translation (NAT) is on the way", at.local)
		}
	}
	return why
}

// sighting is an address, and how it is known.
type sighting struct {
	addr netip.Addr
	how  string
}

// inHello reads the replies to EHLO and HELO. Many smarthosts greet by address
// there: "at your service, [203.0.113.5]", "Hello host [203.0.113.5]".
func inHello(entries []session.Entry) (found sighting) {
	name, far := "", remotes(entries)
	for i := range entries {
		e := &entries[i]
		if e.Verb != "EHLO" && e.Verb != "HELO" {
			continue
		}
		switch {
		case e.Kind == session.KindCommand:
			_, name, _ = strings.Cut(e.Text, " ")
		case e.Kind == session.KindReply && e.From == session.FromUpstream && e.Code/100 == 2:
			if addr := greeted(e.Text, name); addr.IsValid() && !far[addr] {
				found = sighting{addr, "its reply to " + e.Verb + " says so"}
			}
		}
	}
	return found
}

// greeted returns the address in a reply to EHLO: the last one of its first
// line that is not the name we gave, said back. What stands first is the
// smarthost's own name.
func greeted(reply, name string) netip.Addr {
	line, _, _ := strings.Cut(reply, "\n")
	line, _, _ = strings.Cut(line, "\r")
	_, greeting, _ := strings.Cut(strings.TrimSpace(line), " ")
	if afterCode(line) {
		_, greeting, _ = strings.Cut(greeting, " ")
	}
	found := mentionsIn(greeting)
	own := mentionsIn(name)
	if len(own) == 1 {
		for i, m := range found {
			if m.addr == own[0].addr {
				found = append(found[:i:i], found[i+1:]...)
				break
			}
		}
	}
	if len(found) == 0 {
		return netip.Addr{}
	}
	return found[len(found)-1].addr
}

// afterCode reports whether the first word of a reply is its code alone, and
// not code and name joined by a hyphen.
func afterCode(line string) bool {
	return len(line) > 3 && line[3] == ' ' && strings.Trim(line[:3], "0123456789") == ""
}

// inRefusal reads the replies that refuse: "Client host [203.0.113.5] blocked".
// What they say of other machines must not be taken for ours, so the word in
// front counts, and two addresses are none.
func inRefusal(entries []session.Entry) sighting {
	far := remotes(entries)
	for i := range entries {
		e := &entries[i]
		if e.From != session.FromUpstream || e.Code < 400 || e.Kind != session.KindReply && e.Kind != session.KindGreeting {
			continue
		}
		if addr := accused(e.Text); addr.IsValid() && !far[addr] {
			return sighting{addr, fmt.Sprintf("its reply %d names it", e.Code)}
		}
	}
	return sighting{}
}

// accused returns the one address that a refusal is about.
func accused(reply string) (found netip.Addr) {
	if strings.Contains(reply, " said:") { // a reply handed on: about the smarthost's own address, if anybody's
		return netip.Addr{}
	}
	for _, m := range mentionsIn(reply) {
		if !m.accused() || !public(m.addr) {
			continue
		}
		if found.IsValid() && found != m.addr {
			return netip.Addr{}
		}
		found = m.addr
	}
	return found
}

// onSocket reads the near end of the connection, which is what the smarthost
// sees unless somebody translates addresses on the way.
func onSocket(entries []session.Entry) (found sighting) {
	for i := range entries {
		if at, ok := dialled(&entries[i]); ok && public(at.local) {
			found = sighting{at.local, "it is public, and this machine's end of the connection"}
		}
	}
	return found
}

// remotes are the smarthost's own addresses: one that names itself by them does
// not say what it sees.
func remotes(entries []session.Entry) map[netip.Addr]bool {
	far := map[netip.Addr]bool{}
	for i := range entries {
		if at, ok := dialled(&entries[i]); ok {
			far[at.remote] = true
		}
	}
	return far
}

// ends are the two ends of a connection.
type ends struct{ local, remote netip.Addr }

// dialled returns the ends of the upstream leg's connection.
func dialled(e *session.Entry) (ends, bool) {
	if e.Kind != session.KindOpen || e.Leg != session.Upstream || e.Dial == nil {
		return ends{}, false
	}
	local, _ := netip.ParseAddrPort(e.Dial.Local)
	remote, err := netip.ParseAddrPort(e.Dial.Addr)
	return ends{local.Addr().Unmap().WithZone(""), remote.Addr().Unmap().WithZone("")}, err == nil
}

// public reports whether an address is one of the internet. The addresses of
// RFC 6598 are between a provider and its customers.
func public(addr netip.Addr) bool {
	shared := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10)
	return addr.IsGlobalUnicast() && !addr.IsPrivate() && !shared.Contains(addr)
}
