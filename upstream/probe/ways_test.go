package probe_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"slices"
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// TestSmarthostByAddress predicts for a smarthost that is known by its address
// alone: apps connect to the address, or were redirected and know a name.
func TestSmarthostByAddress(t *testing.T) {
	tests := []struct {
		name  string
		certs []string // whom the certificate names
		sni   string   // that the app sent
		want  []string // result, setting, cause
	}{
		{"the address in the certificate", []string{"127.0.0.1"}, "localhost", []string{"ok", "", ""}},
		{"a name in the certificate", []string{host}, "localhost", []string{"fail", "trust", "tls.certificate-name-mismatch"}},
		{"a redirected app", []string{host}, host, []string{"ok", "", ""}},
		{"a redirected app and another's certificate", []string{"other.example.net"}, host, []string{"fail", "trust", "tls.certificate-name-mismatch"}},
		{"an app that sends no name", []string{"127.0.0.1"}, "", []string{"ok", "", ""}},
	}
	ca := newCA(t)
	for _, test := range tests {
		leaf, err := ca.Leaf(test.certs...)
		if err != nil {
			t.Fatal(err)
		}
		s := start(t, testenv.SmarthostOptions{TLS: &tls.Config{Certificates: []tls.Certificate{leaf}}})
		to, err := upstream.ParseTarget(s.Addr(), upstream.ModeSTARTTLS)
		if err != nil {
			t.Fatal(err)
		}
		e := newProber(t, ca.Pool(), probe.Options{}).Direct(t.Context(), to, offer(func(h *session.Hello) { h.SNI = test.sni }))
		if got := []string{e.Probe.Result, e.Probe.Setting, e.Probe.Cause}; !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q: %q", test.name, got, test.want, e.Text)
		}
	}
}

// TestTwoCertificates predicts for a smarthost that shows a good certificate
// to those who take ECDSA, and one that nobody trusts to all others.
func TestTwoCertificates(t *testing.T) {
	ca := newCA(t)
	good, err := ca.Leaf(host)
	if err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	bad, err := newCA(t).LeafOf(key, host)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		s := start(t, testenv.SmarthostOptions{Version: version, TLS: &tls.Config{Certificates: []tls.Certificate{good, bad}}})
		p := newProber(t, ca.Pool(), probe.Options{})
		for _, signature := range []string{"ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256"} {
			e := p.Direct(t.Context(), target(s.Addr(), upstream.ModeSTARTTLS), offer(func(h *session.Hello) { h.Signatures = []string{signature} }))
			if want := strings.HasPrefix(signature, "ecdsa"); (e.Probe.Result == "ok") != want || (e.Probe.Setting == "trust") == want {
				t.Errorf("%s, %s: %+v %q", tls.VersionName(version), signature, *e.Probe, e.Text)
			}
		}
	}
}

// TestMissingIntermediate has the chain of an incomplete smarthost completed
// from where its issuer publishes the rest.
func TestMissingIntermediate(t *testing.T) {
	ca := newCA(t)
	end, err := ca.Publish()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end() })
	addr := smarthost{cert: (*testenv.CA).WithoutIntermediate}.open(t, ca)
	p := newProber(t, ca.Pool(), probe.Options{})
	e := p.Certificate(t.Context(), target(addr, upstream.ModeSTARTTLS), "")
	if e.Probe.Cause != "tls.chain-incomplete" || len(e.TLS.Repaired) != 1 {
		t.Errorf("certificate: %+v, %d certificates fetched, want tls.chain-incomplete and 1: %q", *e.Probe, len(e.TLS.Repaired), e.Text)
	}
	e = p.Direct(t.Context(), target(addr, upstream.ModeSTARTTLS), offer(func(*session.Hello) {}))
	if e.Probe.Cause != "tls.chain-incomplete" || len(e.TLS.Repaired) != 1 {
		t.Errorf("direct: %+v, %d certificates fetched, want tls.chain-incomplete and 1: %q", *e.Probe, len(e.TLS.Repaired), e.Text)
	}
}
