package probe_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// host is the smarthost's name in all tests; the hosts file knows it.
const host = "smtp.example.com"

// newProber makes a prober that trusts roots and finds host on 127.0.0.1.
func newProber(t *testing.T, roots *x509.CertPool, o probe.Options) *probe.Prober {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(file, []byte("127.0.0.1 "+host+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := upstream.New(upstream.Options{HostsFile: file, Roots: roots, ConnectTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	o.Connector = c
	return probe.New(o)
}

// newCA makes an authority for the test.
func newCA(t *testing.T) *testenv.CA {
	t.Helper()
	ca, err := testenv.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// start opens a smarthost that ends with the test.
func start(t *testing.T, o testenv.SmarthostOptions) *testenv.Smarthost {
	t.Helper()
	o.Host = host
	s, err := testenv.NewSmarthost(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// target names a smarthost on addr as the settings would.
func target(addr string, mode upstream.Mode) upstream.Target {
	port := int(netip.MustParseAddrPort(addr).Port())
	return upstream.Target{Name: net.JoinHostPort(host, addr[len("127.0.0.1:"):]), Host: host, Port: port, Mode: mode}
}

// hello is what an app with this configuration offers to a proxy that ends
// TLS, as the relay records it.
func hello(t *testing.T, app *tls.Config) *session.Hello {
	t.Helper()
	near, far := net.Pipe()
	defer near.Close()
	ended := make(chan struct{})
	go func() { // ends when the proxy's side closes
		defer close(ended)
		_ = tls.Client(far, app).HandshakeContext(context.Background())
		far.Close()
	}()
	var offered *tls.ClientHelloInfo
	conn := tls.Server(upstream.NewTap(near), &tls.Config{
		MinVersion: tls.VersionTLS10,
		GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			offered = h
			return nil, errors.New("seen enough")
		},
	})
	err := conn.HandshakeContext(context.Background())
	facts, _ := upstream.AppFacts(conn, offered, err)
	near.Close()
	<-ended
	if facts.Hello == nil {
		t.Fatalf("no hello from the app: %v", err)
	}
	return facts.Hello
}
