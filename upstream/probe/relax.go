package probe

import (
	"slices"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// setting is one thing about an app's TLS that somebody may have set.
type setting string

// The settings that a prediction can name.
const (
	settingVersions    setting = "tls versions"
	settingSuites      setting = "cipher suites"
	settingGroups      setting = "groups"
	settingSignatures  setting = "signature algorithms"
	settingName        setting = "server name"
	settingALPN        setting = "application protocols"
	settingTrust       setting = "trust"
	settingCertificate setting = "client certificate"
	settingSTARTTLS    setting = "starttls"
)

// inOrder are the settings of an offer, the likeliest first by how the
// smarthost refused it. Where the suites are the app's own fault, wider groups
// or signatures alone do not help; but wider suites can get round narrow
// groups and signatures, over a key exchange that needs neither. So the suites
// come behind those, and the versions, which bring suites of their own, last.
func inOrder(refused *session.Fault) []setting {
	order := []setting{settingSignatures, settingGroups, settingSuites, settingVersions, settingName, settingALPN}
	first := settingName // a smarthost that says nothing
	if refused != nil && refused.Class == session.FaultAlert {
		switch refused.Alert {
		case alertProtocolVersion:
			first = settingVersions
		case alertUnrecognizedName:
			first = settingName
		case alertNoProtocol:
			first = settingALPN
		default:
			return order
		}
	}
	return append([]setting{first}, slices.DeleteFunc(order, func(s setting) bool { return s == first })...)
}

// The alerts that say what was missed (RFC 8446, section 6.2).
const (
	alertHandshakeFailure = 40
	alertProtocolVersion  = 70
	alertInsufficient     = 71
	alertUnrecognizedName = 112
	alertRequired         = 116
	alertNoProtocol       = 120
)

// relaxed is the offer with one setting as wide as it can be, and all others
// as they were. ok is false when that changes nothing.
func (o offer) relaxed(s setting) (wider offer, ok bool) {
	wider = o
	switch s {
	case settingVersions:
		wider = o.withVersions(allVersions())
	case settingSuites:
		wider.Suites = join(o.Suites, allSuites())
		if len(o.Groups) == 0 {
			wider.Groups = allGroups() // as an app with suites that need them would
		}
	case settingGroups:
		wider.Groups = join(slices.DeleteFunc(slices.Clone(o.Groups), isHybrid), allGroups())
	case settingSignatures:
		wider.Signatures = join(o.Signatures, allSignatures())
	case settingName:
		wider.SNI = ""
	case settingALPN:
		wider.ALPN = nil
	}
	wider.setShares()
	return wider, wider.key() != o.key()
}

// withVersions offers other versions, and for those that are new what they
// cannot do without: an app that spoke them would offer it.
func (o offer) withVersions(versions []uint16) offer {
	wider := o
	wider.setVersions(versions)
	wider.Suites = join(o.Suites, o.foreignSuites())
	if !o.takes(wire.VersionTLS13) {
		wider.Groups = join(o.Groups, allGroups())
		wider.Signatures = join(o.Signatures, allSignatures())
	}
	return wider
}

// foreignSuites are those of the versions that the offer lacks.
func (o offer) foreignSuites() []uint16 {
	var foreign []uint16
	if !o.takes(wire.VersionTLS13) {
		foreign = modernSuites()
	}
	if !slices.ContainsFunc([]uint16{wire.VersionTLS10, wire.VersionTLS11, wire.VersionTLS12}, o.takes) {
		foreign = append(foreign, oldSuites()...)
	}
	return foreign
}

// widest offers all there is, under the app's server name and no protocols.
func widest(sni string) offer {
	o := offer{wire.ClientHello{Suites: allSuites(), Groups: allGroups(), Signatures: allSignatures(), SNI: sni, StatusRequest: true}}
	o.setVersions(allVersions())
	return o
}

// narrowed is the widest offer with one setting as o has it. What an app
// leaves out because it has no use for it is no setting: groups without a
// suite that needs them, suites of versions that it does not speak.
func (o offer) narrowed(s setting) offer {
	narrow := widest(o.SNI)
	switch {
	case s == settingVersions:
		narrow.setVersions(o.versions())
	case s == settingSuites:
		narrow.Suites = join(o.Suites, o.foreignSuites())
	case s == settingGroups && len(o.Groups) > 0:
		narrow.Groups = o.Groups
	case s == settingSignatures && len(o.Signatures) > 0:
		narrow.Signatures = o.Signatures
	case s == settingALPN:
		narrow.ALPN = o.ALPN
	}
	narrow.setShares()
	return narrow
}

// versions are those that the offer may mean, highest first.
func (o offer) versions() []uint16 {
	if len(o.Versions) > 0 {
		return o.Versions
	}
	var all []uint16
	for v := o.Version; v >= wire.VersionSSL30; v-- {
		all = append(all, v)
	}
	return all
}

// join is a list and what another has beyond it.
func join(list, more []uint16) []uint16 {
	joined := slices.Clone(list)
	for _, id := range more {
		if !slices.Contains(joined, id) {
			joined = append(joined, id)
		}
	}
	return joined
}
