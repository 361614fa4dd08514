package diagnose

import (
	"fmt"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// noVersion words an offer of which the upstream takes no version. Who has to
// act is whoever is behind the other, as far as a probe tells; the app comes
// first where it stops below what is current.
func (x through) noVersion(s symptom) symptom {
	lowest, newest := offeredVersions(x.app.TLS.Hello)
	if newest == 0 {
		return s
	}
	p := x.probe(probeCertificate)
	var takes uint16
	if p != nil && p.TLS != nil {
		takes, _ = wire.VersionID(p.TLS.Version)
	}
	switch {
	case takes > newest:
		s = x.appBehind(s, newest, takes)
	case takes != 0 && takes < lowest:
		s = x.upstreamBehind(s, lowest, takes)
	case newest < wire.VersionTLS13:
		return x.eitherBehind(s, newest)
	default:
		return s
	}
	s.evidence = appendEvidence(s.evidence, []*session.Entry{p})
	return s
}

// offeredVersions are the lowest and the newest version of TLS in an offer, 0 when there
// is none. What is no version is there to be passed over (RFC 8701).
func offeredVersions(h *session.Hello) (lowest, newest uint16) {
	if h == nil {
		return 0, 0
	}
	for _, name := range h.Versions {
		v, ok := wire.VersionID(name)
		if !ok || v > wire.VersionTLS13 {
			continue
		}
		if lowest == 0 || v < lowest {
			lowest = v
		}
		newest = max(newest, v)
	}
	return lowest, newest
}

// appBehind is an upstream that has left the app's versions behind.
func (x through) appBehind(s symptom, newest, takes uint16) symptom {
	s.side = "app"
	s.title = fmt.Sprintf("The app offers %s at most, and {host} does not take that", wire.VersionName(newest))
	s.what = fmt.Sprintf("The app offers nothing newer than %s. {host} took %s when the proxy asked, and refused the app's offer. Both sides can end this: the app by offering %s, which is the shorter way, or {host} by taking %s as well.",
		wire.VersionName(newest), wire.VersionName(takes), wire.VersionName(takes), wire.VersionName(newest))
	s.fix = appVersionFix(takes)
	return s
}

func appVersionFix(takes uint16) []string {
	return []string{
		fmt.Sprintf("In the app: switch %s on, or update its runtime or TLS library. TLS 1.3 needs OpenSSL 1.1.1, GnuTLS 3.6.5, Java 8u261, Node.js 12, or with .NET Windows 11 or Server 2022. Look for a setting that stops it below: MaxProtocol, maxVersion, ssl.protocols.", wire.VersionName(takes)),
		"Or let the proxy make the TLS with {host} in the app's place: --tls terminate.",
		"If you run {host}: let it take TLS 1.2 beside TLS 1.3, which is current still (RFC 9325). Otherwise ask its operators whether they do.",
	}
}

// upstreamBehind is an app that has left the upstream's versions behind.
func (x through) upstreamBehind(s symptom, lowest, takes uint16) symptom {
	s.title = fmt.Sprintf("{host} knows nothing newer than %s, and the app takes nothing below %s", wire.VersionName(takes), wire.VersionName(lowest))
	s.what = fmt.Sprintf("The app offers nothing older than %s. Asked by the proxy with all versions, {host} took %s.", wire.VersionName(lowest), wire.VersionName(takes))
	s.fix = []string{
		"If you run {host}: switch on TLS 1.2 and 1.3, or update it. Otherwise tell its operators.",
	}
	if takes >= wire.VersionTLS12 {
		s.what += " That is not outdated, so the app may well take it."
		s.fix = append(s.fix, fmt.Sprintf("Or let the app take %s too: lower its minProtocol, minVersion or ssl.protocols.", wire.VersionName(takes)))
	}
	return s
}

// eitherBehind is an app that stops below TLS 1.3 before an upstream of which
// nothing more is known.
func (x through) eitherBehind(s symptom, newest uint16) symptom {
	s.what = fmt.Sprintf("The app offers nothing newer than %s, and {host} takes none of what it offers: either {host} takes TLS 1.3 alone, which the app does not offer, or it is so old that it knows only what is switched off today.", wire.VersionName(newest))
	s.fix = append(appVersionFix(wire.VersionTLS13), "See what it speaks: openssl s_client -connect {host}:{port} -starttls smtp (without -starttls on port 465).")
	return s
}
