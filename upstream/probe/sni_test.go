package probe_test

import (
	"crypto/tls"
	"net"
	"net/netip"
	"strings"
	"testing"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

func TestSNI(t *testing.T) {
	ca := newCA(t)
	tests := []struct {
		smarthost smarthost
		line      string
	}{
		{smarthost{name: "one certificate"}, "ok the same certificate with and without a server name"},
		{smarthost{name: "one certificate, TLS 1.0", min: tls.VersionTLS10, max: tls.VersionTLS10}, "ok the same certificate"},
		{smarthost{name: "needs a name", sni: "required"}, "warn without a server name it refuses TLS (remote error: tls: unrecognized name)"},
		{smarthost{name: "needs a name, TLS 1.2", sni: "required", max: tls.VersionTLS12}, "warn without a server name it refuses TLS"},
		{smarthost{name: "refuses its name", sni: "refused"}, "warn it refuses the server name " + host + " (remote error: tls: unrecognized name), and shows a certificate without one"},
		{smarthost{name: "picks by name", sni: "picks"}, "warn without a server name it shows another certificate, for other.example.net"},
		{smarthost{name: "picks by name, insists on a certificate", sni: "picks", client: tls.RequireAnyClientCert}, "warn without a server name it shows another certificate"},
		{smarthost{name: "expired", cert: (*testenv.CA).Expired}, "ok the same certificate"},
	}
	for _, test := range tests {
		t.Run(test.smarthost.name, func(t *testing.T) {
			p := newProber(t, ca.Pool(), probe.Options{})
			lines, _ := climb(t, p, target(test.smarthost.open(t, ca), upstream.ModeSTARTTLS), "sni")
			if len(lines) != 1 || !strings.HasPrefix(lines[0], test.line) {
				t.Errorf("got %q, want %q", lines, test.line)
			}
			if n := p.Counts().Connections; n > 3 {
				t.Errorf("%d connections, want 3 at most", n)
			}
		})
	}
}

// TestSNIBothGood has two certificates for one host.
func TestSNIBothGood(t *testing.T) {
	ca := newCA(t)
	named, err := ca.Leaf(host)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ca.Leaf(host, "other.example.net")
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if h.ServerName == "" {
			return &other, nil
		}
		return &named, nil
	}}
	p := newProber(t, ca.Pool(), probe.Options{})
	at := target(start(t, testenv.SmarthostOptions{TLS: cfg}).Addr(), upstream.ModeSTARTTLS)
	lines, _ := climb(t, p, at, "sni")
	saysAll(t, lines, "ok another certificate without a server name, which is good for "+host+", too")
}

// TestSNIOfAnAddress has no name to send.
func TestSNIOfAnAddress(t *testing.T) {
	ca := newCA(t)
	addr := netip.MustParseAddrPort(smarthost{}.open(t, ca))
	at := upstream.Target{Name: addr.String(), Host: addr.Addr().String(), Port: int(addr.Port()), Mode: upstream.ModeSTARTTLS}
	lines, _ := climb(t, newProber(t, ca.Pool(), probe.Options{}), at, "sni")
	saysAll(t, lines, "skip not examined: the smarthost is given by its address")
	gone := at
	gone.Port, gone.Name = 1, net.JoinHostPort(at.Host, "1") // nobody listens there
	lines, _ = climb(t, newProber(t, ca.Pool(), probe.Options{}), gone, "sni")
	saysAll(t, lines, "skip there was no connection")
}
