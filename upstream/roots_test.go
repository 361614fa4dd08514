package upstream_test

import (
	"crypto/tls"
	"path/filepath"
	"strings"
	"testing"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

func TestLoadRoots(t *testing.T) {
	ca := newCA(t)
	roots, err := upstream.LoadRoots(file(t, "ca.pem", "a comment\n"+string(newCA(t).PEM())+string(ca.PEM())))
	if err != nil {
		t.Fatal(err)
	}
	addr := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{made(t)(ca.Leaf(host))}})
	if s := secure(t, newConnector(t, upstream.Options{Roots: roots}), addr, host); s.fault != nil {
		t.Errorf("a root of the file is not trusted: %+v", s.fault)
	}
}

func TestLoadRootsTrustsASelfSignedCertificate(t *testing.T) {
	cert := made(t)(testenv.SelfSigned(host))
	roots, err := upstream.LoadRoots(file(t, "leaf.pem", testenv.PEM(cert)))
	if err != nil {
		t.Fatal(err)
	}
	addr := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{cert}})
	if s := secure(t, newConnector(t, upstream.Options{Roots: roots}), addr, host); s.fault != nil {
		t.Errorf("the certificate that the owner named is not trusted: %+v", s.fault)
	}
}

func TestLoadRootsRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ path, want string }{
		"no file":     {filepath.Join(t.TempDir(), "none.pem"), "none.pem: no such file"},
		"no PEM":      {file(t, "ca.der", "\x30\x82"), "-----BEGIN CERTIFICATE-----"},
		"a key alone": {file(t, "key.pem", "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"), "no certificate in it"},
		"cut short":   {file(t, "cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"), "certificate 1 cannot be read"},
	} {
		if _, err := upstream.LoadRoots(tt.path); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want it to say %q", name, err, tt.want)
		}
	}
}
