package diagnose

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// facets returns what sessions are compared in. A new one is an entry here.
func facets() []facet {
	return []facet{
		addressFacet(), bannerFacet(), helloFacet(0), helloFacet(1), certificateFacet(),
		worded(func(p *profile) string { return p.tls }, "the way to the upstream is %s, before it was %s", inTLS, "tls.", "auth.encryption-required", "auth.mechanism-unsupported"),
		worded(func(p *profile) string { return p.appTLS }, "the app's leg is %s, before it was %s", inTLS, "tls.app-", "auth.encryption-required"),
		worded(func(p *profile) string { return p.user }, "the app %s, before it %s", signIn, "auth.", "relay.denied", "sender.not-authorized", "sender.account-suspended", "sender.not-verified", "rate.quota-exceeded"),
		worded(func(p *profile) string { return p.mechanism }, "the app signs in with %s, before with %s", shown, "auth."),
		worded(func(p *profile) string { return p.domain }, "the sender's domain is %s, before it was %s", shown, "sender.", "relay.denied", "reputation.domain-blocklisted"),
		worded(func(p *profile) string { return p.who.helo }, "the app calls itself %s in EHLO, before it did %s", shown, "reputation.helo-rejected", "reputation.no-reverse-dns", "protocol.syntax-error"),
	}
}

// worded is a facet whose one sentence names two values.
func worded(of func(*profile) string, format string, word func(string) string, explains ...string) facet {
	return facet{of: of, tell: func(old, now *profile) []change {
		return []change{{fmt.Sprintf(format, word(of(now)), word(of(old))), explains}}
	}}
}

func inTLS(version string) string {
	if version == none {
		return "in clear"
	}
	return "under " + shown(version)
}

func signIn(name string) string {
	if name == none {
		return "did not sign in"
	}
	return "signed in as " + shown(name)
}

// addressFacet compares the upstream's addresses. Of several that were tried
// one that is known is enough to make it the same host.
func addressFacet() facet {
	of := func(p *profile) string { return p.addrs }
	f := worded(of, "the upstream's address is %s, before it was %s", shown,
		"connect.refused", "connect.timeout", "connect.unreachable", "connect.reset", "connect.closed", "connect.no-greeting", "connect.not-smtp",
		"connect.rejected", "tls.certificate-", "tls.chain-incomplete", "tls.handshake-", "tls.version-mismatch", "tls.cipher-mismatch",
		"tls.not-offered", "tls.stripped", "tls.plaintext-expected", "tls.implicit-expected", "relay.denied")
	f.same = func(a, b string) bool {
		known := strings.Fields(a)
		return slices.ContainsFunc(strings.Fields(b), func(addr string) bool { return slices.Contains(known, addr) })
	}
	return f
}

// larger compares the size of the message with the largest that was accepted.
// Below ten times that it is what sizes do.
func (p *past) larger(now *profile) []change {
	if p.largest <= 0 || now.size < 10*p.largest || now.size < 1_000_000 {
		return nil
	}
	text := fmt.Sprintf("the message has %s, the largest that was accepted had %s", sizeWords(now.size), sizeWords(p.largest))
	if limit := now.sizeLimit(); limit > 0 && now.size > limit {
		text += fmt.Sprintf(" (the upstream announces a limit of %s)", sizeWords(limit))
	}
	return []change{{text, []string{"message.too-large", "upstream.timeout", "upstream.closed", "rate.quota-exceeded"}}}
}

// region is how clouds write one in a host name: eu-west-1, us-gov-west-1.
var region = regexp.MustCompile(`\b[a-z]{2}(?:-gov)?-(?:north|south|east|west|central)[a-z]*-\d\b`)

// moved compares with the last good session on the same route, when none to
// this upstream is known: the settings name another one now.
func (p *past) moved(now *profile) (since string, all []change) {
	old := p.elsewhere
	if old == nil || old.upstream == now.upstream {
		return "", nil
	}
	text := fmt.Sprintf("the upstream is %s, before it was %s", shown(now.upstream), shown(old.upstream))
	was, is := region.FindString(old.upstream), region.FindString(now.upstream)
	if was != "" && is != "" && was != is {
		text += fmt.Sprintf(" (region %s instead of %s: credentials, verified senders and limits belong to one region)", is, was)
	}
	all = []change{{text, []string{"connect.", "tls.", "auth.", "sender.", "relay.denied", "rate.quota-exceeded"}}}
	return fmt.Sprintf("New since the last session on this route that worked (%s): ", day(old.at)), all
}
