package probe

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// maxOtherNames bounds the names that are looked up: the peer chooses them.
const maxOtherNames = 4

// NameRemedy tries the names that the smarthost has for itself, in its
// certificate or in its greeting, as far as they lead to the same address.
func (remedies) NameRemedy() remedy { return remedy{cost: 40, propose: ownNames} }

func ownNames(ctx context.Context, s *search, at outcome) (list []settings) {
	used, _ := at.addrs()
	ctx, cancel := context.WithTimeout(ctx, trialWait)
	defer cancel()
	for _, name := range at.otherNames() {
		if s.leadsTo(ctx, name, used) {
			next := at.began
			mode := next.target.Mode
			next.target = reached(next.target, name, next.target.Port)
			next.target.Mode = mode
			list = append(list, next)
		}
	}
	return list
}

// otherNames are those of the smarthost that may stand in place of the one that
// its certificate, or the smarthost itself, refuses.
func (o *outcome) otherNames() (names []string) {
	e := o.handshake()
	if e == nil || e.Fault == nil || e.TLS == nil {
		return nil
	}
	switch {
	case e.TLS.Verify == session.VerifyName && len(e.TLS.Chain) > 0:
		for _, name := range e.TLS.Chain[0].Names {
			names = append(names, strings.ToLower(name))
		}
	case e.Fault.Class == session.FaultAlert && e.Fault.Alert == alertUnrecognizedName:
		names = o.spokenNames()
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !fullName(name) || name == o.target.Host })
	return names[:min(len(names), maxOtherNames)]
}

// fullName reports a name that a host may have in the DNS: what a peer sends
// may be anything.
func fullName(name string) bool {
	t, err := upstream.ParseTarget(name+":25", upstream.ModeAuto)
	return err == nil && nameAlone(t.Host) == name && strings.Contains(name, ".") && !strings.Contains(name, "_")
}

// spokenNames are those by which the smarthost greets and answers EHLO.
func (o *outcome) spokenNames() (names []string) {
	for i := range o.entries {
		e := &o.entries[i]
		if e.Leg != session.Upstream || e.From != session.FromUpstream || e.Code != 220 && e.Code != 250 || len(e.Text) < 4 {
			continue
		}
		if words := strings.Fields(e.Text[4:]); len(words) > 0 && !slices.Contains(names, strings.ToLower(words[0])) {
			names = append(names, strings.ToLower(words[0]))
		}
	}
	return names
}

// leadsTo reports whether a name has the given address.
func (s *search) leadsTo(ctx context.Context, name string, addr netip.Addr) bool {
	return addr.IsValid() && slices.ContainsFunc(s.prober.options.Connector.Addresses(ctx, name), func(r upstream.Resolution) bool {
		return slices.Contains(r.Addrs, addr)
	})
}
