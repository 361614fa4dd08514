package probe_test

import (
	"crypto/tls"
	"slices"
)

// differ lists the settings in which a pair has nothing in common, in the
// order in which they matter. It is worked out from how the two were set up
// and from nothing that was measured.
func differ(a app, s smarthost, named bool) []string {
	common := min(top(a.max), top(s.max))
	if common < max(bottom(a.min), bottom(s.min)) {
		return []string{"tls versions"}
	}
	var list []string
	add := func(differs bool, setting string) {
		if differs {
			list = append(list, setting)
		}
	}
	add(common <= tls.VersionTLS12 && !shareSuite(a, s, common), "cipher suites")
	add(!shareGroup(a, s), "groups")
	add(len(a.alpn) > 0 && len(s.alpn) > 0, "application protocols")
	add(s.sni == "refused" && named || s.sni == "required" && !named, "server name")
	if len(list) == 0 {
		add(s.trust != "" || s.sni == "picks" && !named, "trust")
		add(s.client == tls.RequireAnyClientCert, "client certificate")
	}
	return list
}

func top(v uint16) uint16 {
	if v == 0 {
		return tls.VersionTLS13
	}
	return v
}

func bottom(v uint16) uint16 {
	if v == 0 {
		return tls.VersionTLS12
	}
	return v
}

// shareSuite reports a cipher suite in common that fits the smarthost's key.
func shareSuite(a app, s smarthost, version uint16) bool {
	for _, id := range usable(a.suites, version) {
		if slices.Contains(usable(s.suites, version), id) && fits(id, s.key) {
			return true
		}
	}
	return false
}

// usable are the suites of a list, or the library's own, that a version up to
// TLS 1.2 has.
func usable(list []uint16, version uint16) []uint16 {
	if list == nil {
		list = slices.Concat(ecdheECDSA, ecdheRSA)
	}
	return slices.DeleteFunc(slices.Clone(list), func(id uint16) bool {
		all := append(tls.CipherSuites(), tls.InsecureCipherSuites()...)
		return !slices.ContainsFunc(all, func(c *tls.CipherSuite) bool {
			return c.ID == id && slices.Contains(c.SupportedVersions, version)
		})
	})
}

// fits reports whether a suite is one for a key. The usual one is ECDSA;
// Ed25519 goes with the same suites.
func fits(id uint16, key string) bool {
	needsECDSA := slices.Contains(ecdheECDSA, id) || id == tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA
	return needsECDSA == (key != "rsa")
}

// shareGroup reports a group in common, where one is needed.
func shareGroup(a app, s smarthost) bool {
	if slices.Equal(a.suites, plainRSA) && slices.Equal(s.suites, plainRSA) || a.groups == nil || s.groups == nil {
		return true
	}
	return slices.ContainsFunc(a.groups, func(g tls.CurveID) bool { return slices.Contains(s.groups, g) })
}
