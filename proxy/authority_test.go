package proxy_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"smtp-proxy/proxy"
)

// openAuthority opens the authority in dir or fails the test.
func openAuthority(t *testing.T, dir string) *proxy.Authority {
	t.Helper()
	a, err := proxy.OpenAuthority(dir, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// leafFor asks for the certificate of a name and verifies it against the root.
func leafFor(t *testing.T, a *proxy.Authority, sni, host string) *tls.Certificate {
	t.Helper()
	leaf, err := a.Leaf(&tls.ClientHelloInfo{ServerName: sni})
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(a.CertPEM()) {
		t.Fatalf("the root is no certificate:\n%s", a.CertPEM())
	}
	if _, err := leaf.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots}); err != nil {
		t.Fatalf("leaf for SNI %q at %q: %v (names %v %v)", sni, host, err, leaf.Leaf.DNSNames, leaf.Leaf.IPAddresses)
	}
	return leaf
}

func TestAuthorityIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first, again := openAuthority(t, dir), openAuthority(t, dir)
	if !bytes.Equal(first.CertPEM(), again.CertPEM()) {
		t.Error("the second start has another root than the first")
	}
	written, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil || !bytes.Equal(written, first.CertPEM()) {
		t.Errorf("ca.pem holds %q, %v; want the root", written, err)
	}
	for name, want := range map[string]fs.FileMode{".": 0o700, "ca.pem": 0o600, "ca.key": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v; want %v", name, info.Mode().Perm(), err, want)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Errorf("the directory holds %v, %v; want the two files alone", files, err)
	}
}

func TestAuthorityTightensItsKey(t *testing.T) {
	dir := t.TempDir()
	openAuthority(t, dir)
	key := filepath.Join(dir, "ca.key")
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	openAuthority(t, dir)
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key has mode %v, %v; want 0600", info.Mode().Perm(), err)
	}
}

func TestAuthorityWritesItsRootAgain(t *testing.T) {
	dir := t.TempDir()
	first := openAuthority(t, dir)
	if err := os.Remove(filepath.Join(dir, "ca.pem")); err != nil {
		t.Fatal(err)
	}
	openAuthority(t, dir)
	written, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil || !bytes.Equal(written, first.CertPEM()) {
		t.Errorf("ca.pem holds %q, %v; want the root again", written, err)
	}
}

func TestAuthorityMadeOnceByManyProcesses(t *testing.T) {
	dir := t.TempDir()
	var roots [8][]byte
	var starting sync.WaitGroup
	for i := range roots {
		starting.Go(func() {
			if a, err := proxy.OpenAuthority(dir, time.Now()); err == nil {
				roots[i] = a.CertPEM()
			}
		})
	}
	starting.Wait()
	for i, root := range roots {
		if root == nil || !bytes.Equal(root, roots[0]) {
			t.Errorf("start %d has root %q, start 0 has %q", i, root, roots[0])
		}
	}
}

func TestAuthorityDamaged(t *testing.T) {
	other, err := proxy.EphemeralAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		damage func(dir string) error
		want   []string
	}{
		{"key cut short", func(dir string) error { return os.Truncate(filepath.Join(dir, "ca.key"), 100) }, []string{"ca.key: damaged", "restore it from a backup"}},
		{"key empty", func(dir string) error { return os.Truncate(filepath.Join(dir, "ca.key"), 0) }, []string{"ca.key: damaged"}},
		{"key gone", func(dir string) error { return os.Remove(filepath.Join(dir, "ca.key")) }, []string{"ca.pem is there, but the key", "bring the key back"}},
		{"root of another", func(dir string) error { return os.WriteFile(filepath.Join(dir, "ca.pem"), other.CertPEM(), 0o600) }, []string{"ca.pem is damaged or is not the certificate of ca.key"}},
		{"root is text", func(dir string) error { return os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("x"), 0o600) }, []string{"ca.pem is damaged"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			openAuthority(t, dir)
			if err := tt.damage(dir); err != nil {
				t.Fatal(err)
			}
			before := contents(t, dir)
			_, err := proxy.OpenAuthority(dir, time.Now())
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "PRIVATE") {
					t.Errorf("error %v, want it to say %q", err, want)
				}
			}
			if after := contents(t, dir); after != before {
				t.Errorf("the files were changed:\n%s\nbefore:\n%s", after, before)
			}
		})
	}
}

// contents of all files of a directory, by name.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(f.Name() + "\n" + string(data))
	}
	return all.String()
}

func TestAuthorityExpired(t *testing.T) {
	dir := t.TempDir()
	if _, err := proxy.OpenAuthority(dir, time.Now().AddDate(-11, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := proxy.OpenAuthority(dir, time.Now()); err == nil || !strings.Contains(err.Error(), "expired on") {
		t.Errorf("error %v, want that it has expired", err)
	}
}

func TestAuthorityLeaf(t *testing.T) {
	a := openAuthority(t, t.TempDir())
	this, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	leaf := leafFor(t, a, "", "localhost")
	for _, host := range []string{"127.0.0.1", "::1", strings.ToLower(this)} {
		leafFor(t, a, "", host)
	}
	if again := leafFor(t, a, "", "localhost"); again != leaf {
		t.Error("a second handshake made a second certificate")
	}
	leafFor(t, a, "smtp.gmail.com", "smtp.gmail.com")
	leafFor(t, a, "Mail.Example.", "mail.example")
	if odd := leafFor(t, a, "a b\x00", "localhost"); odd != leaf {
		t.Errorf("a name that is none was signed: %q", odd.Leaf.DNSNames)
	}
	if life := time.Until(leaf.Leaf.NotAfter); life < 20*24*time.Hour || life > 90*24*time.Hour {
		t.Errorf("a leaf lasts %v", life)
	}
}

func TestAuthorityRootSignsServersOnly(t *testing.T) {
	a, err := proxy.EphemeralAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	root := a.Root()
	if !root.IsCA || !root.MaxPathLenZero || len(root.ExtKeyUsage) != 1 || root.ExtKeyUsage[0] != x509.ExtKeyUsageServerAuth {
		t.Errorf("root: CA %v, path length 0 %v, usage %v", root.IsCA, root.MaxPathLenZero, root.ExtKeyUsage)
	}
	if block, rest := pem.Decode(a.CertPEM()); block == nil || block.Type != "CERTIFICATE" || len(rest) != 0 {
		t.Errorf("CertPEM holds more than a certificate: %q", a.CertPEM())
	}
}

func TestAuthorityAnswersAHandshake(t *testing.T) {
	a := openAuthority(t, t.TempDir())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var serving sync.WaitGroup
	serving.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		tls.Server(conn, &tls.Config{GetCertificate: a.Leaf}).Handshake()
	})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.CertPEM())
	conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{RootCAs: roots})
	if err != nil {
		t.Fatalf("an app that trusts the root: %v", err)
	}
	conn.Close()
	serving.Wait()
}

func TestAuthorityRenewsLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := proxy.EphemeralAuthority(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		leaf := func() *tls.Certificate {
			c, err := a.Leaf(&tls.ClientHelloInfo{})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		first := leaf()
		<-time.After(15 * 24 * time.Hour)
		if leaf() != first {
			t.Error("after 15 days the leaf was made anew, want the same")
		}
		<-time.After(10 * 24 * time.Hour)
		if again := leaf(); again == first || !again.Leaf.NotAfter.After(time.Now().Add(20*24*time.Hour)) {
			t.Errorf("after 25 days the leaf ends on %v, want a new one", again.Leaf.NotAfter)
		}
	})
}

func TestAuthorityBoundsItsLeaves(t *testing.T) {
	a, err := proxy.EphemeralAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 600 {
		name := fmt.Sprintf("host-%d.example", i)
		if c, err := a.Leaf(&tls.ClientHelloInfo{ServerName: name}); err != nil || c.Leaf.VerifyHostname(name) != nil {
			t.Fatalf("leaf for %s: %v", name, err)
		}
	}
	first, err := a.Leaf(&tls.ClientHelloInfo{ServerName: "host-0.example"})
	if err != nil || first.Leaf.VerifyHostname("host-0.example") != nil {
		t.Errorf("the first name again: %v", err)
	}
}
