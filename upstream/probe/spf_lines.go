package probe

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"blitiri.com.ar/go/spf"
)

// nobody is an address that no machine has (RFC 1112, section 4): what a record
// says of it, it says of all that it does not name.
func nobody() netip.Addr { return netip.AddrFrom4([4]byte{240, 0, 0, 1}) }

// record looks at what the domain publishes, and reports whether there is
// anything to ask it.
func (s *spfStudy) record(ctx context.Context) bool {
	v, domain := s.asker.verdict(ctx, nobody()), s.asker.domain
	switch v.result {
	case spf.None:
		s.say(StatusWarn, fmt.Sprintf("%s has no SPF record: receivers cannot tell its mail from forged mail; publish %q", domain, s.proposal()))
		return false
	case spf.TempError:
		s.say(StatusSkip, fmt.Sprintf("the SPF record of %s could not be had: %v", domain, v.err))
		return false
	case spf.PermError:
		s.say(StatusWarn, fmt.Sprintf("the SPF record of %s is broken (permerror): %s; to receivers it is as good as none, or a failure", domain, printable(v.why())))
	case spf.Pass:
		s.say(StatusWarn, fmt.Sprintf("the SPF record of %s lets everybody send in its name, by %s", domain, printable(v.why())))
	default:
		s.say(StatusOK, fmt.Sprintf("%s publishes %q: what it does not name gets %s%s", domain, s.published(ctx), v.result, v.takes()))
	}
	return true
}

// published is the record, shortened for a line.
func (s *spfStudy) published(ctx context.Context) string {
	const most = 120
	text := printable(strings.Join(s.asker.zone.records(ctx, s.asker.domain), ""))
	if len(text) <= most {
		return text
	}
	return text[:most] + " …"
}

// takes says how many look-ups a record takes, when they are getting short.
func (v spfVerdict) takes() string {
	if v.needs < spfLookUps-2 {
		return ""
	}
	return fmt.Sprintf(" (it takes %d of the %d look-ups that are allowed)", v.needs, spfLookUps)
}

// proposal is a record for a domain that has none.
func (s *spfStudy) proposal() string {
	switch {
	case s.provider != nil && len(s.provider.SPF) > 0:
		return "v=spf1 include:" + s.provider.SPF[0] + " ~all"
	case s.direct:
		return "v=spf1 ip4:<this machine's address> ~all"
	}
	return "v=spf1 " + spfTermFor(s.host) + " ~all"
}

// spfTermFor names a smarthost in a record that the world reads: a name or an
// address that only this network knows is of no use there.
func spfTermFor(host string) string {
	addr, err := netip.ParseAddr(host)
	switch {
	case err != nil && strings.Contains(host, "."):
		return "a:" + host
	case err != nil || kindOf(addr).words != "":
		return "ip4:<the smarthost's public address>"
	case addr.Is4():
		return "ip4:" + host
	}
	return "ip6:" + host
}

// byProvider asks whether the provider may send, by addresses out of what it
// publishes: so it does not matter in which form the domain names them.
func (s *spfStudy) byProvider(ctx context.Context) {
	p := s.provider
	if p.Returns == returnsToItself {
		s.say(StatusOK, fmt.Sprintf("%s has bounces come to itself, so SPF is asked of the domain in its return path; for %s it is DKIM that has to speak", p.Name, s.asker.domain))
		return
	}
	var refused *spfVerdict
	for _, root := range p.SPF {
		v, ok := s.bySample(ctx, root)
		switch {
		case ok && v.passes():
			s.say(StatusOK, fmt.Sprintf("%s may send for it: %s", p.Name, v.words()))
			return
		case ok && refused == nil:
			refused = &v
		}
	}
	if refused == nil {
		s.say(StatusSkip, fmt.Sprintf("whether %s may send for it is not known: the addresses of %s are not published as they used to be", p.Name, strings.Join(p.SPF, ", ")))
		return
	}
	s.say(StatusWarn, fmt.Sprintf("%s may not send for it (%s): add include:%s to the record", p.Name, refused.words(), p.SPF[0]))
}

// bySample asks about two of the addresses that a record names, and returns the
// verdict that is worse.
func (s *spfStudy) bySample(ctx context.Context, root string) (worst spfVerdict, ok bool) {
	for _, addr := range s.asker.zone.sample(ctx, root) {
		v := s.verdict(ctx, addr)
		if worst, ok = v, true; !v.passes() {
			break
		}
	}
	return worst, ok
}

// byHost asks about the smarthost's own addresses: many send from where they
// take mail.
func (s *spfStudy) byHost(ctx context.Context) {
	asked := 0
	for _, addr := range s.known.addrs {
		if !public(addr) || asked == maxOwnSenders {
			continue
		}
		asked++
		v := s.verdict(ctx, addr)
		if v.passes() {
			s.say(StatusOK, fmt.Sprintf("the smarthost, %s, may send for it: %s", addr, v.words()))
			continue
		}
		s.say(StatusWarn, fmt.Sprintf("the smarthost, %s, may not send for it (%s): put the addresses that it delivers from into the record, if they are not others that are there", addr, v.words()))
	}
	if asked == 0 {
		s.say(StatusSkip, fmt.Sprintf("whether the smarthost may send for it is not known: %s has no public address here", s.host))
	}
}

// byThisMachine asks about this machine's address, which counts only where it
// delivers itself.
func (s *spfStudy) byThisMachine(ctx context.Context) {
	addr := s.known.egress
	switch {
	case !addr.IsValid() && s.direct:
		s.say(StatusSkip, "whether this machine may send for it is not known: neither is its public address")
		return
	case !addr.IsValid():
		return
	}
	v := s.verdict(ctx, addr)
	text := fmt.Sprintf("this machine, %s: %s", addr, v.words())
	switch {
	case !s.direct:
		s.say(StatusOK, text+" (does not count where the smarthost delivers)")
	case v.passes() || v.result == spf.Neutral:
		s.say(StatusOK, text)
	default:
		s.say(StatusWarn, fmt.Sprintf("%s; %s will take its mail for forged: put the address into the record, or send by way of a smarthost that is there", text, s.host))
	}
}
