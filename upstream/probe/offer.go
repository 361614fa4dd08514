package probe

import (
	"crypto/sha256"
	"errors"
	"slices"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// offer is a ClientHello to be made: versions, suites, groups, signature
// algorithms, protocols and a server name.
type offer struct{ wire.ClientHello }

// offerKey is an offer in brief: the same one is asked about once.
type offerKey [sha256.Size]byte

func (o offer) key() offerKey {
	return sha256.Sum256(o.AppendRecord(nil, [32]byte{}, nil))
}

var errNoOffer = errors.New("too little is known of what the app offers")

// offerOf makes an app's offer again, for a server name. What has no known
// name is left out: it says nothing to a smarthost either.
func offerOf(h *session.Hello, sni string) (offer, error) {
	if h == nil || len(h.Ciphers) == 0 {
		return offer{}, errNoOffer
	}
	o := offer{wire.ClientHello{
		Suites:        idsOf(h.Ciphers, wire.SuiteID),
		Groups:        idsOf(h.Groups, wire.GroupID),
		Signatures:    idsOf(h.Signatures, wire.SignatureID),
		SNI:           sni,
		ALPN:          h.ALPN,
		StatusRequest: true, // brings the OCSP answer, which is judged with the chain
	}}
	o.setVersions(idsOf(h.Versions, wire.VersionID))
	if o.takes(wire.VersionTLS13) && len(o.Signatures) == 0 {
		o.Signatures = allSignatures() // TLS 1.3 cannot do without: they were not recorded
	}
	return o, nil
}

func idsOf(names []string, id func(string) (uint16, bool)) []uint16 {
	var ids []uint16
	for _, name := range names {
		if id, ok := id(name); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// setVersions offers versions as programs do: with the list of TLS 1.3, or,
// when they are all up to one below it, in the old way by the highest alone. A
// hello in the old way does not tell where the app stops, and is recorded as
// all that it may mean.
func (o *offer) setVersions(versions []uint16) {
	o.Version, o.Versions = 0, nil
	if len(versions) == 0 {
		o.Version = wire.VersionSSL30
		return
	}
	top := slices.Max(versions)
	old := top <= wire.VersionTLS12 && int(top-wire.VersionTLS10)+1 <= len(versions)
	if top < wire.VersionTLS10 || old {
		o.Version = top
	} else {
		o.Versions = versions
	}
	o.setShares()
}

// setShares brings a key for each group that this program can make one for, so
// that no smarthost has to ask again.
func (o *offer) setShares() {
	o.KeyShares = nil
	if !o.takes(wire.VersionTLS13) {
		return
	}
	for _, group := range o.Groups {
		if canShare(group) {
			o.KeyShares = append(o.KeyShares, group)
		}
	}
}

// takes reports whether an answer in that version would be one to the offer.
func (o offer) takes(version uint16) bool {
	if len(o.Versions) > 0 {
		return slices.Contains(o.Versions, version)
	}
	return version <= o.Version
}

// oldWay reports whether the lowest version that the app takes is unknown.
func (o offer) oldWay() bool { return len(o.Versions) == 0 && o.Version > wire.VersionTLS10 }

// broken names the setting that an answer goes beyond, for which an app ends
// the handshake itself; "" when it keeps to the offer.
func (o offer) broken(s *wire.ServerHello) setting {
	switch {
	case !o.takes(s.Version):
		return settingVersions
	case s.Downgraded && s.Version < o.Max() && o.Max() >= wire.VersionTLS12:
		return settingVersions // something on the path takes the better ones away
	case s.Version < wire.VersionTLS12 && o.refusesSHA1():
		return settingVersions
	case !slices.Contains(o.Suites, s.Suite):
		return settingSuites
	case s.DHBits > 0 && s.DHBits < 1024:
		return settingSuites // no library takes so small a group any more
	case s.Group != 0 && len(o.Groups) > 0 && !slices.Contains(o.Groups, s.Group):
		return settingGroups
	case s.ALPN != "" && !slices.Contains(o.ALPN, s.ALPN):
		return settingALPN
	}
	return ""
}

// refusesSHA1 reports an app that ends handshakes below TLS 1.2 although it
// offers them: the signatures there are made with SHA-1. OpenSSL from 3.0 on
// does so at its usual security level, and leaves SHA-1 out of its signature
// algorithms then. Go leaves it out too, and goes on; Ed448 and X448, which Go
// does not have, tell the two apart.
func (o offer) refusesSHA1() bool {
	const ed448 = 0x0808
	return (slices.Contains(o.Signatures, ed448) || slices.Contains(o.Groups, groupX448)) &&
		len(o.Signatures) > 0 && !slices.ContainsFunc(o.Signatures, func(id uint16) bool { return id>>8 == 2 })
}

// isHybrid reports a group of post-quantum key exchange, whose keys are long.
func isHybrid(group uint16) bool {
	switch group {
	case 4587, groupX25519MLKEM, 4589, 0x6399, 0x639a:
		return true
	}
	return false
}

// legacy reports a suite of allSuites that servers of today leave out: RC4 and
// triple DES.
func legacy(id uint16) bool {
	return slices.Contains([]uint16{0xc008, 0xc012, 0x0016, 0x000a, 0xc007, 0xc011, 0x0005, 0x0004}, id)
}
