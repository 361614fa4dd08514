package probe

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"smtp-proxy/upstream"
)

// conclude words what the search has come to.
func (s *search) conclude(ctx context.Context, best outcome) Fix {
	f := Fix{Change: s.words(best), Flags: s.flags(best), Reached: best.stage.String(), Text: s.remark(ctx, best)}
	for _, o := range s.tried {
		t := Tried{Change: s.words(o), Reached: o.stage.String(), Text: o.why}
		if o.failed == "" {
			t.Text = s.lack(o)
		}
		f.Tried = append(f.Tried, t)
	}
	return f
}

// words say what differs from the settings of the beginning, in the words of an
// app's settings.
func (s *search) words(o outcome) string {
	base := s.base.began
	var parts []string
	if o.target.Host != base.target.Host {
		parts = append(parts, "set the host to "+o.target.Host)
	}
	switch way := wayWords(o.target.Mode); {
	case o.target.Port != base.target.Port && way == "":
		parts = append(parts, fmt.Sprintf("set port %d", o.target.Port))
	case o.target.Port != base.target.Port:
		parts = append(parts, fmt.Sprintf("set port %d with %s", o.target.Port, way))
	case s.otherWay(o) && way != "":
		parts = append(parts, fmt.Sprintf("keep port %d and set %s", o.target.Port, way))
	}
	if o.addr.IsValid() && o.addr != base.addr {
		parts = append(parts, fmt.Sprintf("use its %s alone: put the line %q into the hosts file", s.addressWords(o.addr), hostsLine(o.settings)))
	}
	if o.name != base.name {
		parts = append(parts, fmt.Sprintf("let the app say EHLO %s (the name of the local host in its settings, which smtp-proxy passes on)", o.name))
	}
	if o.mechanism != base.mechanism && o.advised == "" {
		parts = append(parts, "sign in by "+o.mechanism)
	}
	if o.trusts != base.trusts {
		parts = append(parts, fmt.Sprintf("trust %s, if it is what you expect there: have it in the file of --upstream-ca", o.trusts))
	}
	switch o.resolver {
	case base.resolver:
	case systemResolver:
		parts = append(parts, "leave --resolver out: the system's DNS servers know the name")
	default:
		parts = append(parts, "ask the DNS server "+o.resolver)
	}
	if o.advised != "" {
		parts = append(parts, o.advised)
	}
	return strings.Join(parts, ", and ")
}

// addressWords name an address by its family where that tells it.
func (s *search) addressWords(addr netip.Addr) string {
	_, known := s.base.addrs()
	if slices.ContainsFunc(known, func(a netip.Addr) bool { return a != addr && a.Is4() == addr.Is4() }) {
		return "address " + addr.String()
	}
	return familyWord(addr) + " address"
}

// otherWay reports that the port speaks otherwise than the settings have it.
func (s *search) otherWay(o outcome) bool {
	base := s.base.began.target
	switch {
	case base.Mode != upstream.ModeAuto:
		return o.target.Mode != base.Mode
	case o.began.target.Mode == upstream.ModeNone:
		return true
	}
	return o.stage >= stageTLS && base.Implicit() != (o.target.Mode == upstream.ModeImplicit)
}

func wayWords(m upstream.Mode) string {
	switch m {
	case upstream.ModeImplicit:
		return "SSL/TLS (implicit)"
	case upstream.ModeSTARTTLS:
		return "STARTTLS"
	case upstream.ModeNone:
		return "no TLS"
	}
	return ""
}

// flags are the same for smtp-proxy run.
func (s *search) flags(o outcome) (list []string) {
	base := s.base.began
	if o.target.Host != base.target.Host || o.target.Port != base.target.Port || s.otherWay(o) {
		scheme := map[upstream.Mode]string{upstream.ModeImplicit: "smtps://", upstream.ModeSTARTTLS: "starttls://", upstream.ModeNone: "smtp://"}[o.target.Mode]
		list = append(list, "--upstream "+scheme+o.target.Name)
		if o.began.target.Mode == upstream.ModeNone {
			list = append(list, "--upstream-tls none")
		}
	}
	if o.resolver != base.resolver && o.resolver != systemResolver {
		list = append(list, "--resolver "+o.resolver)
	}
	if o.trusts != base.trusts {
		list = append(list, "--upstream-ca FILE")
	}
	return append(list, o.flags...)
}

// lack says what settings that met no failure are short of; empty when they are
// not.
func (s *search) lack(o outcome) string {
	switch {
	case o.good(s):
		return ""
	case !s.fit(o):
		return "it works in clear only: what is sent can be read on its way"
	case s.want.Script.User != "":
		return onOffer(o.offered) + ": nothing that takes the sign-in as it is given"
	}
	return ""
}

// remark says what the change leaves open.
func (s *search) remark(ctx context.Context, best outcome) string {
	nothing := s.words(best) == ""
	switch {
	case nothing && ctx.Err() != nil && !best.good(s):
		return "the time was up before a change that helps was found"
	case best.good(s) && nothing:
		return "no setting needs to be changed: the session gets through as it is"
	case nothing && s.base.failedAt(partRcpt, partDelivery):
		return "the smarthost was reached and refuses the " + map[string]string{partRcpt: "recipient", partDelivery: "message"}[s.base.failed] +
			": no setting on the way to it decides that, and none was tried"
	case nothing:
		return s.hopeless(best)
	}
	var list []string
	if best.failed != "" && best.why != "" {
		list = append(list, "then: "+best.why)
	} else if text := s.lack(best); text != "" {
		list = append(list, text)
	}
	if !best.secure && best.stage >= stageEHLO && best.advised == "" {
		list = append(list, "all of it is in clear, and can be read on its way")
	}
	if host := best.target.Host; host != s.base.began.target.Host {
		list = append(list, fmt.Sprintf("be sure that %s is the smarthost that is meant", host))
	}
	return strings.Join(append(list, s.notSignedIn(best)...), "; ")
}

// notSignedIn says why the password was not tried with the change.
func (s *search) notSignedIn(best outcome) []string {
	user := s.want.Script.User
	switch {
	case user == "" || best.stage >= stageAuth || best.stage < stageOffered || best.failedAt(partAuth) && !s.spent():
		return nil
	case s.spent():
		return []string{fmt.Sprintf("%s was not signed in a second time: a password that is refused again and again locks accounts", user)}
	case best.target.Host != s.base.began.target.Host:
		return []string{fmt.Sprintf("%s was not signed in: the password is for the host that was named", user)}
	case best.trusts != "":
		return []string{fmt.Sprintf("%s was not signed in: the certificate is not trusted yet", user)}
	}
	return nil
}

// hopeless says how far the best came when nothing helps.
func (s *search) hopeless(best outcome) string {
	came := "not even the name was found"
	if best.stage > stageNone {
		came = "it gets as far as " + best.stage.String()
	}
	text := fmt.Sprintf("none of %d changes gets further; ", len(s.tried))
	switch len(s.tried) {
	case 0:
		text = "there is no setting that could help; "
	case 1:
		text = "the one change that could help does not; "
	}
	switch {
	case best.failedAt(partAuth) && best.code >= 500:
		return "the smarthost refuses the user name or the password: no other setting changes that, and neither was tried again"
	case slices.ContainsFunc(s.tried, func(o outcome) bool { return o.failed == "" && !s.fit(o) }):
		text += "TLS is what stands in the way: in clear it gets through, which is no way for a password; "
	}
	if best.stage < stageConnect { // nobody over there has said anything
		return text + came + ", and the cause is no setting: it is at the smarthost, on the way to it, or in this machine's network"
	}
	return text + came + ", and the cause is not on this side but at the smarthost or on the way to it"
}
