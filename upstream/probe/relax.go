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
	case settingGroups:
		wider.Groups = join(o.Groups, allGroups())
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
	had13, hadOld := o.takes(wire.VersionTLS13), o.takes(wire.VersionTLS12) || o.takes(wire.VersionTLS11) || o.takes(wire.VersionTLS10)
	wider.setVersions(versions)
	if !had13 && wider.takes(wire.VersionTLS13) {
		wider.Suites = join(wider.Suites, modernSuites())
		wider.Groups = join(wider.Groups, allGroups())
		wider.Signatures = join(wider.Signatures, allSignatures())
	}
	if !hadOld && wider.takes(wire.VersionTLS12) {
		wider.Suites = join(wider.Suites, oldSuites())
	}
	if len(wider.Signatures) == 0 && wider.takes(wire.VersionTLS12) {
		wider.Signatures = allSignatures()
	}
	wider.setShares()
	return wider
}

// widest offers all there is, under the app's server name and no protocols.
func widest(sni string) offer {
	o := offer{wire.ClientHello{Suites: allSuites(), Groups: allGroups(), Signatures: allSignatures(), SNI: sni, StatusRequest: true}}
	o.setVersions(allVersions())
	return o
}

// narrowed is the widest offer with one setting as o has it.
func (o offer) narrowed(s setting) offer {
	narrow := widest(o.SNI)
	switch s {
	case settingVersions:
		narrow.setVersions(o.versions())
	case settingSuites:
		narrow.Suites = o.Suites
	case settingGroups:
		narrow.Groups = o.Groups
	case settingSignatures:
		narrow.Signatures = o.Signatures
	case settingALPN:
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
