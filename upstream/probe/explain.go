package probe

import (
	"context"
	"slices"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// explain finds the one setting that stops an offer that was not taken. The
// widest offer shows whether anything would do; then the app's own is made
// again with one setting as wide as it can be, one after the other, until one
// gets through. Where none does alone, those are named that stop the widest
// offer by themselves.
func (d *direct) explain(ctx context.Context, w way, v verdict) verdict {
	if v.text != "" {
		return v // known already
	}
	o, err := offerOf(d.hello, w.sni)
	if err != nil {
		return d.unexplained(v)
	}
	nameStops := false
	if !d.takes(ctx, widest(o.SNI)) {
		if nameStops = o.SNI != "" && d.takes(ctx, widest("")); !nameStops {
			return d.unexplained(v)
		}
	}
	for _, s := range inOrder(v.fault) {
		if nameStops && s != settingName || s == settingVersions && d.takes(ctx, o.narrowed(s)) {
			continue // new versions may help, but those of the app would do
		}
		if r, taken := d.helps(ctx, o, s); taken {
			v = d.refused(o, s, v.reading)
			v.text = d.refusedWords(ctx, o, s, r)
			return v
		}
	}
	return d.several(ctx, o, nameStops, v)
}

// helps reports whether the offer is taken with one setting widened.
func (d *direct) helps(ctx context.Context, o offer, s setting) (reading, bool) {
	wider, changed := o.relaxed(s)
	if !changed {
		return reading{}, false
	}
	r, err := d.ask(ctx, wider)
	return r, err == nil && r.taken() && wider.broken(r.server) == ""
}

// several names the settings of which each stops the widest offer.
func (d *direct) several(ctx context.Context, o offer, nameStops bool, v verdict) verdict {
	var stops []setting
	base := o
	if nameStops {
		base.SNI, stops = "", []setting{settingName}
	}
	for _, s := range []setting{settingVersions, settingSuites, settingGroups, settingSignatures, settingALPN} {
		if r, err := d.ask(ctx, base.narrowed(s)); err == nil && !r.taken() {
			stops = append(stops, s)
		}
	}
	if len(stops) == 0 {
		return d.unexplained(v)
	}
	v = d.refused(o, stops[0], v.reading)
	v.text = d.refusedWords(ctx, o, stops[0], reading{})
	if len(stops) > 1 {
		v.text = d.severalWords(stops)
	}
	for _, s := range stops[1:] {
		v.setting += " and " + s
	}
	return v
}

// takes reports whether the smarthost takes an offer.
func (d *direct) takes(ctx context.Context, o offer) bool {
	r, err := d.ask(ctx, o)
	return err == nil && r.taken()
}

// refused is an offer that fails for one setting.
func (d *direct) refused(o offer, s setting, r reading) verdict {
	facts := factsOf(o, r)
	v := verdict{result: resultFail, setting: s, cause: causeOf(o, s), facts: &facts, fault: r.fault, reading: r}
	if r.fault != nil {
		facts.Error = r.fault.Text
	}
	return v
}

// causeOf is the cause behind a setting.
func causeOf(o offer, s setting) string {
	switch {
	case s == settingVersions && o.Max() < wire.VersionTLS12, s == settingSuites && outdated(o.Suites):
		return "tls.app-version-mismatch"
	case s == settingVersions, s == settingALPN:
		return "tls.version-mismatch"
	case s == settingName:
		return "tls.sni-required"
	}
	return "tls.cipher-mismatch"
}

// outdated reports suites that no smarthost of today takes: RC4, DES in all
// forms, export, and those without encryption.
func outdated(suites []uint16) bool {
	return len(suites) > 0 && !slices.ContainsFunc(suites, func(id uint16) bool {
		return slices.Contains(modernSuites(), id) || slices.Contains(oldSuites(), id) && !legacy(id)
	})
}

// unexplained is an offer that fails however wide it is made: it is not the
// app's doing.
func (d *direct) unexplained(v verdict) verdict {
	v.result, v.cause = resultFail, faultCause(v.fault)
	v.facts = &session.TLS{Chain: []session.Certificate{}, Error: v.fault.Text}
	v.text = d.unexplainedWords(v.fault)
	if d.cut != nil {
		v.text = d.cutWords(v.fault)
	}
	return v
}

// faultCause is the cause of a handshake that failed as the fault says.
func faultCause(f *session.Fault) string {
	switch f.Class {
	case session.FaultTimeout:
		return "tls.handshake-timeout"
	case session.FaultNotTLS:
		return "tls.plaintext-expected"
	case session.FaultCorrupt:
		return "tls.handshake-corrupt"
	case session.FaultAlert:
		return alertCause(f.Alert)
	}
	return "tls.handshake-reset"
}

func alertCause(alert int) string {
	switch alert {
	case alertProtocolVersion, alertNoProtocol:
		return "tls.version-mismatch"
	case alertHandshakeFailure, alertInsufficient:
		return "tls.cipher-mismatch"
	case alertUnrecognizedName:
		return "tls.sni-required"
	case alertRequired:
		return "tls.client-certificate-required"
	}
	return "tls.handshake-reset"
}
