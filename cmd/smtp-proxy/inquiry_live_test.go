package main

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
	"smtp-proxy/policy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
)

// served is a smarthost with a leaf of an authority of its own, and that
// authority's file.
func served(t *testing.T, leaf func(*testenv.CA) (tls.Certificate, error)) (s *testenv.Sandbox, roots []byte, file string) {
	t.Helper()
	ca, err := testenv.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	c, err := leaf(ca)
	if err != nil {
		t.Fatal(err)
	}
	s, err = testenv.NewSandbox(testenv.SandboxOptions{TLS: &tls.Config{Certificates: []tls.Certificate{c}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	file = filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(file, ca.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return s, ca.PEM(), file
}

// latest reads the latest session of a plant that has ended.
func (r *running) latest(t *testing.T) *inspect.Session {
	t.Helper()
	s, err := store.Open(r.dir, store.Options{ReadOnly: true, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	v, err := s.Session(t.Context(), "latest")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Under TLS 1.3 an app's refusal does not say why; the proxy asks the
// smarthost, though it is told to stop at once, and says it in the record and
// once more in the log.
func TestInquiryOfARefusal(t *testing.T) {
	box, roots, file := served(t, func(ca *testenv.CA) (tls.Certificate, error) { return ca.Expired("127.0.0.1") })
	for _, probing := range []struct{ setting, cause string }{{"auto", "tls.certificate-expired"}, {"off", "tls.app-rejected-certificate"}} {
		c := policy.Defaults()
		c.Upstream, c.UpstreamCA, c.TLS, c.Probe = box.Addr(), file, "passthrough", probing.setting
		r := startPlant(t, c, nil)
		trust := testenv.Trust(roots)
		trust.MinVersion, trust.ServerName = tls.VersionTLS13, "127.0.0.1"
		if v, err := (testenv.App{Addr: r.addr(), TLS: testenv.AppSTARTTLS, Config: trust}).Send(t.Context()); err == nil && v.Delivered() {
			t.Fatalf("the app got %+v, want it to refuse the certificate", v)
		}
		if err := r.said.wait(`"message":"session"`); err != nil {
			t.Fatal(err)
		}
		r.end()
		s := r.latest(t)
		if len(s.Findings) != 1 || s.Findings[0].Cause != probing.cause || s.Findings[0].Certainty != inspect.Likely || s.Outcome != inspect.Failed {
			t.Errorf("--probe %s: outcome %s, findings %+v, want failed and %s, likely", probing.setting, s.Outcome, s.Findings, probing.cause)
		}
		asked := s.Events[len(s.Events)-1].Kind == session.KindProbe
		told := strings.Count(r.said.String(), s.ID)
		if asked != (probing.setting == "auto") || told != map[bool]int{true: 2, false: 1}[asked] {
			t.Errorf("--probe %s: last event %+v, told of %d times", probing.setting, s.Events[len(s.Events)-1], told)
		}
	}
}

// A session with TLS on the app's leg says whether the app would get through
// alone, also when all went well.
func TestInquiryPredicts(t *testing.T) {
	box, _, file := served(t, func(ca *testenv.CA) (tls.Certificate, error) { return ca.Leaf("127.0.0.1") })
	c := policy.Defaults()
	c.Upstream, c.UpstreamCA, c.AppTLS = box.Addr(), file, "offer"
	r := startPlant(t, c, nil)
	roots, err := os.ReadFile(filepath.Join(r.dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := testenv.App{Addr: r.addr(), TLS: testenv.AppSTARTTLS, Config: testenv.Trust(roots)}.Send(t.Context())
	if err != nil || !v.Delivered() {
		t.Fatalf("the app got %+v, %v, want its message delivered", v, err)
	}
	r.end()
	s := r.latest(t)
	if s.Direct == nil || !s.Direct.Tested || !s.Direct.WouldConnect || len(s.Findings) != 0 || s.Outcome != inspect.Delivered {
		t.Errorf("direct %+v, findings %+v, outcome %s; want one that would connect, none, and delivered", s.Direct, s.Findings, s.Outcome)
	}
}
