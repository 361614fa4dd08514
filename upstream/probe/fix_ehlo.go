package probe

import (
	"context"
	"net/netip"
	"os"
	"strings"

	"smtp-proxy/proxy/session"
)

// EHLORemedy tries other names at EHLO where the one in use is refused: this
// machine's full name, its address in brackets (RFC 5321, section 4.1.3), the
// domain of the sender.
func (remedies) EHLORemedy() remedy { return remedy{cost: 60, propose: otherEHLO} }

func otherEHLO(_ context.Context, s *search, at outcome) (list []settings) {
	if !at.failedAt(partEHLO, partMail) || at.wantsSignIn() || at.code == 0 || at.code == 421 && at.stage < stageGreeting {
		return nil
	}
	said := at.ehlo()
	var names []string
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	for _, address := range []string{s.want.Script.From, s.want.Script.User} {
		if _, domain, ok := strings.Cut(address, "@"); ok {
			names = append(names, domain)
		}
	}
	names = append(names, at.literal())
	for _, name := range names {
		full := strings.Contains(strings.Trim(name, "."), ".") && !strings.ContainsAny(name, "_ ")
		if next := at.began; full && !strings.EqualFold(name, said) && speakable(name) == nil {
			next.name = name
			list = append(list, next)
		}
	}
	return list
}

// ehlo returns the name that was said.
func (o *outcome) ehlo() string {
	for i := range o.entries {
		if e := &o.entries[i]; e.Kind == session.KindCommand && (e.Verb == "EHLO" || e.Verb == "HELO") {
			_, name, _ := strings.Cut(strings.TrimSpace(e.Text), " ")
			return name
		}
	}
	return o.name
}

// literal is this machine's address as the connection had it, in brackets.
func (o *outcome) literal() string {
	for i := range o.entries {
		e := &o.entries[i]
		if e.Kind != session.KindOpen || e.Dial == nil {
			continue
		}
		at, err := netip.ParseAddrPort(e.Dial.Local)
		switch {
		case err != nil:
		case at.Addr().Unmap().Is6():
			return "[IPv6:" + at.Addr().WithZone("").String() + "]"
		default:
			return "[" + at.Addr().Unmap().String() + "]"
		}
	}
	return ""
}
