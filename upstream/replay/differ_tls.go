package replay

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
)

// diffTLS compares the last handshake of each leg. Whether it resumed an
// earlier session says nothing of either peer.
func diffTLS(a, b Recording) (all []Difference) {
	for _, leg := range []session.Side{session.Upstream, session.App} {
		all = append(all, diffHandshakes(leg, handshakeOf(a.Entries, leg), handshakeOf(b.Entries, leg))...)
	}
	return all
}

func handshakeOf(entries []session.Entry, leg session.Side) (last *session.Entry) {
	for i := range entries {
		if e := &entries[i]; e.Kind == session.KindTLS && e.TLS != nil && e.Leg == leg {
			last = e
		}
	}
	return last
}

func diffHandshakes(leg session.Side, a, b *session.Entry) (all []Difference) {
	where := "TLS with the " + leg.String()
	if a == nil || b == nil {
		if a != b {
			all = append(all, Difference{RankTLS, where, protection(a), protection(b), otherwise(protection(a), protection(b))})
		}
		return all
	}
	if x, y := protection(a), protection(b); x != y {
		all = append(all, Difference{RankTLS, where, x, y, "other parameters"})
	}
	all = append(all, compareFacts(RankTLS, handshakeFacts(where, a), handshakeFacts(where, b))...)
	if leg == session.App {
		return append(all, compareFacts(RankTLS, offered(a.TLS), offered(b.TLS))...)
	}
	all = append(all, diffCertificates(a.TLS, b.TLS)...)
	return append(all, slower(session.PhaseTLS, "TLS handshake", a.TLS.Duration, b.TLS.Duration)...)
}

// protection is version and suite of a handshake, or that it failed.
func protection(e *session.Entry) string {
	if e == nil {
		return ""
	}
	text := strings.TrimSpace(e.TLS.Version + " " + e.TLS.Cipher)
	if e.Fault != nil {
		text = strings.TrimSpace("failed: " + string(e.Fault.Class) + " " + text)
	}
	return text
}

func handshakeFacts(where string, e *session.Entry) facts {
	t := e.TLS
	trust := string(t.Verify)
	if t.Verified {
		trust = "verified"
	}
	all := facts{
		{where + ", server name", strings.ToLower(t.ServerName)},
		{where + ", protocol", t.ALPN},
	}
	if e.Leg == session.Upstream {
		all = append(all, fact{"certificate, trust", trust}, fact{"revocation", t.Stapled})
	}
	if e.Fault != nil && e.Fault.Alert != 0 {
		all = append(all, fact{where + ", alert", strconv.Itoa(e.Fault.Alert)})
	}
	return all
}

// offered is what the app's TLS library can do.
func offered(t *session.TLS) facts {
	if t.Hello == nil {
		return nil
	}
	return facts{
		{"TLS versions that the app offers", strings.Join(t.Hello.Versions, " ")},
		{"TLS suites that the app offers", strings.Join(slices.Sorted(slices.Values(t.Hello.Ciphers)), " ")},
	}
}

// diffCertificates compares the leaf and the length of the chain. A handshake
// that resumed may have shown none.
func diffCertificates(a, b *session.TLS) []Difference {
	if len(a.Chain) == 0 && a.Resumed || len(b.Chain) == 0 && b.Resumed {
		return nil
	}
	x, y := certificateFacts(a.Chain), certificateFacts(b.Chain)
	all := compareFacts(RankTLS, x, y)
	if len(all) == 0 && len(a.Chain) > 0 && a.Chain[0].Serial != b.Chain[0].Serial {
		all = append(all, Difference{RankTLS, "certificate, serial number", a.Chain[0].Serial, b.Chain[0].Serial, "issued anew"})
	}
	return all
}

func certificateFacts(chain []session.Certificate) facts {
	if len(chain) == 0 {
		return nil
	}
	c := &chain[0]
	return facts{
		{"certificate, names", strings.Join(slices.Sorted(slices.Values(c.Names)), " ")},
		{"certificate, subject", c.Subject},
		{"certificate, issuer", c.Issuer},
		{"certificate, from", c.NotBefore.UTC().Format(time.DateTime)},
		{"certificate, until", c.NotAfter.UTC().Format(time.DateTime)},
		{"certificate, key", c.Key},
		{"certificate, signature", c.Signature},
		{"certificates sent", strconv.Itoa(len(chain))},
	}
}
