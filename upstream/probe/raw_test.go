package probe_test

import (
	"crypto/tls"
	"slices"
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// offer is a hello as records hold it, for what Go's own library cannot be
// told to offer.
func offer(change func(*session.Hello)) *session.Hello {
	h := &session.Hello{
		Versions:   []string{"TLS 1.3", "TLS 1.2"},
		Ciphers:    []string{"TLS_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
		Groups:     []string{"X25519", "P-256"},
		Signatures: []string{"ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256", "rsa_pkcs1_sha256", "ed25519"},
		SNI:        "localhost",
	}
	change(h)
	return h
}

// beyond is an offer that no app of Go makes, and what becomes of it.
type beyond struct {
	name      string
	smarthost smarthost
	change    func(*session.Hello)
	result    string
	setting   string
	cause     string
}

// keyOffers are about signatures and the smarthost's key.
func keyOffers() []beyond {
	return []beyond{
		{"no signature for an RSA key", smarthost{key: "rsa"}, func(h *session.Hello) {
			h.Signatures = []string{"ecdsa_secp256r1_sha256"}
		}, "fail", "signature algorithms", "tls.cipher-mismatch"},
		{"no signature for an RSA key, TLS 1.2", smarthost{key: "rsa", max: tls.VersionTLS12}, func(h *session.Hello) {
			h.Signatures = []string{"ecdsa_secp256r1_sha256"}
		}, "fail", "signature algorithms", "tls.cipher-mismatch"},
		{"no signature for an ECDSA key", smarthost{}, func(h *session.Hello) {
			h.Signatures = []string{"rsa_pss_rsae_sha256", "rsa_pkcs1_sha256"}
		}, "fail", "signature algorithms", "tls.cipher-mismatch"},
		{"another curve's signature", smarthost{min: tls.VersionTLS13}, func(h *session.Hello) {
			h.Signatures = []string{"ecdsa_secp384r1_sha384"}
		}, "fail", "signature algorithms", "tls.cipher-mismatch"},
		{"no signature for Ed25519", smarthost{key: "ed25519"}, func(h *session.Hello) {
			h.Signatures = []string{"ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256"}
		}, "fail", "signature algorithms", "tls.cipher-mismatch"},
		{"signatures that were not recorded", smarthost{}, func(h *session.Hello) { h.Signatures = nil }, "ok", "", ""},
	}
}

// versionOffers are about versions, and suites that do not go with them.
func versionOffers() []beyond {
	return []beyond{
		{"TLS 1.3 with the suites of TLS 1.2 alone", smarthost{}, func(h *session.Hello) {
			h.Versions, h.Ciphers = []string{"TLS 1.3"}, h.Ciphers[1:]
		}, "fail", "cipher suites", "tls.cipher-mismatch"},
		{"SSL 3.0", smarthost{}, func(h *session.Hello) {
			h.Versions, h.Ciphers = []string{"SSLv3"}, []string{"TLS_RSA_WITH_RC4_128_SHA"}
		}, "fail", "tls versions", "tls.app-version-mismatch"},
		{"an app of OpenSSL 3 and TLS 1.0, which signs with SHA-1", smarthost{min: tls.VersionTLS10, max: tls.VersionTLS10}, func(h *session.Hello) {
			h.Versions = []string{"TLS 1.3", "TLS 1.2", "TLS 1.1", "TLS 1.0"}
			h.Ciphers = append(h.Ciphers, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA")
			h.Signatures = append(h.Signatures, "ed448")
		}, "fail", "tls versions", "tls.version-mismatch"},
		{"an app of OpenSSL 1 and TLS 1.0", smarthost{min: tls.VersionTLS10, max: tls.VersionTLS10}, func(h *session.Hello) {
			h.Versions = []string{"TLS 1.3", "TLS 1.2", "TLS 1.1", "TLS 1.0"}
			h.Ciphers = append(h.Ciphers, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA")
			h.Signatures = append(h.Signatures, "ed448", "ecdsa_sha1")
		}, "ok", "", ""},
		{"versions and groups", smarthost{max: tls.VersionTLS12}, func(h *session.Hello) {
			h.Versions, h.Ciphers, h.Groups = []string{"TLS 1.3"}, h.Ciphers[:1], []string{"ffdhe2048"}
		}, "fail", "tls versions and groups", "tls.version-mismatch"},
	}
}

// otherOffers are about suites and groups.
func otherOffers() []beyond {
	return []beyond{
		{"all in order", smarthost{}, func(*session.Hello) {}, "ok", "", ""},
		{"groups that the smarthost does not know", smarthost{}, func(h *session.Hello) {
			h.Groups = []string{"X448", "ffdhe2048"}
		}, "fail", "groups", "tls.cipher-mismatch"},
		{"a group to be asked for again", smarthost{groups: []tls.CurveID{tls.CurveP256}}, func(h *session.Hello) {
			h.Groups = []string{"ffdhe2048", "P-256"}
		}, "ok", "", ""},
		{"RC4 alone", smarthost{}, func(h *session.Hello) {
			h.Versions, h.Ciphers = []string{"TLS 1.2"}, []string{"TLS_RSA_WITH_RC4_128_SHA"}
		}, "fail", "cipher suites", "tls.app-version-mismatch"},
		{"suites without groups", smarthost{}, func(h *session.Hello) {
			h.Versions, h.Ciphers, h.Groups = []string{"TLS 1.2"}, []string{"TLS_RSA_WITH_AES_128_CBC_SHA"}, nil
		}, "fail", "cipher suites", "tls.cipher-mismatch"},
		{"two settings at once", smarthost{groups: []tls.CurveID{tls.X25519}}, func(h *session.Hello) {
			h.Groups, h.Signatures = []string{"P-384"}, []string{"ed448"}
		}, "fail", "groups and signature algorithms", "tls.cipher-mismatch"},
		{"unknown numbers beside known ones", smarthost{}, func(h *session.Hello) {
			h.Ciphers = append(h.Ciphers, "0xABCD", "nonsense")
			h.Groups = append(h.Groups, "0x1234")
		}, "ok", "", ""},
	}
}

// TestOffersBeyondGo predicts for offers that no app of Go makes: their
// outcome follows from RFC 8446 and RFC 5246.
func TestOffersBeyondGo(t *testing.T) {
	ca := newCA(t)
	for _, test := range slices.Concat(keyOffers(), versionOffers(), otherOffers()) {
		t.Run(test.name, func(t *testing.T) {
			p := newProber(t, ca.Pool(), probe.Options{})
			h := offer(test.change)
			e := p.Direct(t.Context(), target(test.smarthost.open(t, ca), upstream.ModeSTARTTLS), h)
			got := []string{e.Probe.Result, e.Probe.Setting, e.Probe.Cause}
			if want := []string{test.result, test.setting, test.cause}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q: %q\noffer %+v", got, want, e.Text, *h)
			}
			if n := p.Counts().Connections; n > 20 {
				t.Errorf("it took %d connections, want 20 at most", n)
			}
		})
	}
}
