package probe_test

import (
	"context"
	"crypto/tls"
	"testing"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

func TestDirectOfHealthyPair(t *testing.T) {
	ca := newCA(t)
	leaf, err := ca.Leaf(host)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, testenv.SmarthostOptions{TLS: &tls.Config{Certificates: []tls.Certificate{leaf}}})
	p := newProber(t, ca.Pool(), probe.Options{})
	app := &tls.Config{ServerName: "localhost"}
	for i := range 2 {
		e := p.Direct(context.Background(), target(s.Addr(), upstream.ModeSTARTTLS), hello(t, app))
		if e.Probe.Result != "ok" || e.Probe.Cached != (i == 1) {
			t.Errorf("prediction %d: %+v, %q; want ok, cached %v", i, *e.Probe, e.Text, i == 1)
		}
	}
	if got := p.Counts(); got.Connections > 2 {
		t.Errorf("a healthy prediction took %d connections, want 2 at most", got.Connections)
	}
}

func TestDirectOfOldApp(t *testing.T) {
	ca := newCA(t)
	leaf, err := ca.Leaf(host)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, testenv.SmarthostOptions{TLS: &tls.Config{Certificates: []tls.Certificate{leaf}}})
	p := newProber(t, ca.Pool(), probe.Options{})
	app := &tls.Config{ServerName: "localhost", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	e := p.Direct(context.Background(), target(s.Addr(), upstream.ModeSTARTTLS), hello(t, app))
	const want = "without the proxy the app would fail: it offers TLS 1.0 and TLS 1.1 only; smtp.example.com takes TLS 1.2 and TLS 1.3"
	if e.Probe.Result != "fail" || e.Probe.Cause != "tls.app-version-mismatch" || e.Probe.Setting != "tls versions" || e.Text != want {
		t.Errorf("got %+v\n%q\nwant fail, tls.app-version-mismatch, tls versions\n%q", *e.Probe, e.Text, want)
	}
}
