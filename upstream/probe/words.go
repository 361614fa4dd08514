package probe

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// okWords say what the app would get.
func (d *direct) okWords(v verdict, o offer) string {
	chose := []string{v.facts.Version, v.facts.Cipher}
	if v.facts.Group != "" {
		chose = append(chose, v.facts.Group)
	}
	text := fmt.Sprintf("without the proxy the app would get through to %s (%s), if it trusts what this machine trusts",
		d.target.Name, strings.Join(chose, ", "))
	switch s := v.reading.server; {
	case len(v.facts.Chain) == 0:
		text += "; the certificate could not be seen"
	case v.facts.Verify == session.VerifyRevoked:
		text += "; the OCSP answer says that the certificate is revoked, which few apps read"
	case s.DHBits > 0 && s.DHBits < 2048:
		text += fmt.Sprintf(", and takes a Diffie-Hellman group of %d bits", s.DHBits)
	case o.oldWay() && s.Version < wire.VersionTLS12:
		text += fmt.Sprintf(", and still takes %s: its hello does not tell where it stops", v.facts.Version)
	}
	return text
}

// trustWords say what is wrong with the certificate.
func (d *direct) trustWords(facts *session.TLS) string {
	return "without the proxy the app would refuse the certificate, if it trusts what this machine trusts: " + facts.Error
}

func (d *direct) certificateWords() string {
	return fmt.Sprintf("without the proxy the app would need a client certificate: %s asks for one and ends the connection without it", d.target.Name)
}

// refusedWords say which setting stops the app, and what would do.
func (d *direct) refusedWords(ctx context.Context, o offer, s setting, taken reading) string {
	host := d.target.Host
	const without = "without the proxy the app would fail: "
	switch s {
	case settingVersions:
		return without + fmt.Sprintf("it offers %s only; %s", d.offered(o), d.takenVersions(ctx, o))
	case settingSuites:
		return without + fmt.Sprintf("%s takes none of the %d cipher suites that it offers%s", host, len(o.Suites), instead(taken, func(r reading) string { return wire.SuiteName(r.server.Suite) }))
	case settingGroups:
		if taken.server != nil && slices.Contains(o.Groups, taken.server.Group) {
			return without + fmt.Sprintf("%s breaks off at a hello as long as the post-quantum groups make it (%s), and takes the same offer without them",
				host, list(wire.Names(slices.DeleteFunc(slices.Clone(o.Groups), func(g uint16) bool { return !isHybrid(g) }), wire.GroupName)))
		}
		return without + fmt.Sprintf("%s takes none of the groups that it offers (%s)%s", host, list(wire.Names(o.Groups, wire.GroupName)), instead(taken, groupOf))
	case settingSignatures:
		return without + fmt.Sprintf("%s has no certificate for the signature algorithms that it offers (%s)", host, list(wire.Names(o.Signatures, wire.SignatureName)))
	case settingName:
		return without + fmt.Sprintf("%s refuses the server name (SNI) %q, and takes the same offer without one", host, o.SNI)
	case settingALPN:
		return without + fmt.Sprintf("%s takes none of the application protocols that it offers (%s), and takes the same offer without them", host, list(o.ALPN))
	}
	return without + string(s)
}

// offered lists the versions that the app offers, lowest first.
func (d *direct) offered(o offer) string {
	versions := idsOf(d.hello.Versions, wire.VersionID)
	if len(versions) == 0 {
		versions = o.versions()
	}
	slices.Sort(versions)
	return list(wire.Names(versions, wire.VersionName))
}

// takenVersions asks for each version alone which of them the smarthost takes.
func (d *direct) takenVersions(ctx context.Context, o offer) string {
	var takes []string
	for _, v := range slices.Backward(allVersions()) {
		single := widest(o.SNI)
		single.Version, single.Versions = 0, []uint16{v}
		single.setShares()
		if r, err := d.ask(ctx, single); err == nil && r.taken() && r.server.Version == v {
			takes = append(takes, wire.VersionName(v))
		}
	}
	if len(takes) == 0 {
		return d.target.Host + " takes other versions"
	}
	return d.target.Host + " takes " + list(takes)
}

// instead names what the smarthost chose when it was offered more.
func instead(taken reading, choice func(reading) string) string {
	if taken.server == nil {
		return ""
	}
	return "; offered more, it chose " + choice(taken)
}

func groupOf(r reading) string {
	if r.server.Group == 0 {
		return wire.SuiteName(r.server.Suite)
	}
	return wire.GroupName(r.server.Group)
}

// brokenWords say how an answer goes beyond the offer.
func (d *direct) brokenWords(ctx context.Context, o offer, s setting, r reading) string {
	switch {
	case s == settingVersions && o.takes(r.server.Version) && o.refusesSHA1():
		return fmt.Sprintf("without the proxy the app would end the handshake itself: %s takes %s at most, which signs with SHA-1, and by its signature algorithms the app takes no SHA-1",
			d.target.Host, wire.VersionName(r.server.Version))
	case s == settingVersions:
		return d.refusedWords(ctx, o, s, reading{})
	}
	chose := map[setting]string{
		settingSuites: wire.SuiteName(r.server.Suite),
		settingGroups: groupOf(r), settingALPN: r.server.ALPN,
	}[s]
	if s == settingSuites && slices.Contains(o.Suites, r.server.Suite) {
		chose = fmt.Sprintf("a Diffie-Hellman group of %d bits, which is too small", r.server.DHBits)
	}
	return fmt.Sprintf("without the proxy the app would end the handshake itself: to its %s %s answers with %s", s, d.target.Host, chose)
}

func (d *direct) severalWords(stops []setting) string {
	var names []string
	for _, s := range stops {
		names = append(names, string(s))
	}
	return fmt.Sprintf("without the proxy the app would fail: each of its %s alone keeps %s from taking its offer", list(names), d.target.Host)
}

func (d *direct) unexplainedWords(f *session.Fault) string {
	return fmt.Sprintf("without the proxy the app would fail, and no other setting of its TLS would help: %s ends each handshake (%s)", d.target.Name, f.Text)
}

// cutWords are those for a failure whose reason could not be looked for to the
// end.
func (d *direct) cutWords(f *session.Fault) string {
	return fmt.Sprintf("without the proxy the app would fail: %s ends the handshake (%s); which setting is the reason was not found out: %s",
		d.target.Name, f.Text, d.cut)
}

// list joins words for a sentence; a long one is cut.
func list(words []string) string {
	const most = 6
	switch n := len(words); {
	case n == 0:
		return "none"
	case n == 1:
		return words[0]
	case n > most:
		return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), n-most)
	default:
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
}
