package probe

import (
	"context"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// trust looks at the certificate that comes with an offer that was taken, and
// at whether the smarthost wants one in return: whether it also insists only a
// whole handshake shows. One of the proxy's own, under the same server name,
// stands in too where the chain could not be read.
func (d *direct) trust(ctx context.Context, o offer, w way, r reading) (verdict, error) {
	id := identity(w)
	seen := shown{tls: factsOf(o, r), at: r.at}
	r = d.withChain(ctx, o, r)
	var own shown
	if len(r.chain) == 0 || r.asked {
		s, cached, err := d.p.show(ctx, d.target, id)
		if err != nil {
			return verdict{}, err
		}
		own, d.connected = s, d.connected || !cached
	}
	if len(r.chain) > 0 {
		seen.tls.Sent, seen.tls.Staple, seen.tls.AskedCert = r.chain, r.staple, r.asked
		d.p.judge(ctx, r.near, id, &seen)
	} else {
		adopt(&seen.tls, &own.tls)
	}
	return d.weigh(verdict{facts: &seen.tls, reading: r}, own, o), nil
}

// withChain reads the chain that an offer gets in a group for which no key can
// be made here: the certificate does not depend on the group, so the offer is
// made with others beside it.
func (d *direct) withChain(ctx context.Context, o offer, r reading) reading {
	wider, changed := o.relaxed(settingGroups)
	if len(r.chain) > 0 || !changed {
		return r
	}
	if other, err := d.ask(ctx, wider); err == nil && other.taken() {
		r.chain, r.staple, r.asked = other.chain, other.staple, other.asked
	}
	return r
}

// weigh decides by what the app would see, in the order in which it would see
// it: the chain before the smarthost's wish for another. An OCSP answer that
// says revoked is read by so few programs that it decides nothing.
func (d *direct) weigh(v verdict, own shown, o offer) verdict {
	verify := v.facts.Verify
	switch {
	case verify != session.VerifyOK && verify != session.VerifyRevoked:
		v.result, v.cause, v.setting = resultFail, trustCause(verify), settingTrust
		v.text = d.trustWords(v.facts)
	case own.wantsCertificate():
		v.result, v.cause, v.setting, v.fault = resultFail, "tls.client-certificate-required", settingCertificate, own.fault
		v.text = d.certificateWords()
	default:
		v.result = resultOK
		v.text = d.okWords(v, o)
	}
	return v
}

// factsOf are what the smarthost chose from an offer.
func factsOf(o offer, r reading) session.TLS {
	facts := session.TLS{ServerName: o.SNI, Chain: []session.Certificate{}}
	if s := r.server; s != nil {
		facts.Version, facts.Cipher, facts.ALPN = wire.VersionName(s.Version), wire.SuiteName(s.Suite), s.ALPN
		if s.Group != 0 {
			facts.Group = wire.GroupName(s.Group)
		}
	}
	return facts
}

// adopt takes over what another handshake with the same smarthost showed of
// its certificate.
func adopt(facts, from *session.TLS) {
	facts.Chain, facts.Path, facts.Repaired = from.Chain, from.Path, from.Repaired
	facts.Verified, facts.Verify, facts.Error = from.Verified, from.Verify, from.Error
	facts.Stapled, facts.RootHint, facts.Interceptor = from.Stapled, from.RootHint, from.Interceptor
	facts.AskedCert = from.AskedCert
}
