package main

import (
	"bytes"
	"crypto/tls"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"smtp-proxy/policy"
	"smtp-proxy/testenv"
)

// TestKeyLog relays with TLS on both legs and compares the file with the keys
// that the two peers have seen themselves.
func TestKeyLog(t *testing.T) {
	ca, err := testenv.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.Leaf("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	var appKeys, upstreamKeys bytes.Buffer
	smarthost, err := testenv.NewSandbox(testenv.SandboxOptions{TLS: &tls.Config{Certificates: []tls.Certificate{leaf}, KeyLogWriter: &upstreamKeys}})
	if err != nil {
		t.Fatal(err)
	}
	defer smarthost.Close()
	c := policy.Defaults()
	c.Upstream, c.UpstreamCA, c.AppTLS, c.LogLevel = smarthost.Addr(), filepath.Join(t.TempDir(), "ca.pem"), "offer", "trace"
	c.Probe = "off" // its handshakes are no leg of a session
	if err := os.WriteFile(c.UpstreamCA, ca.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "keys")
	r := startPlant(t, c, map[string]string{keyLogVariable: file})
	roots, err := os.ReadFile(filepath.Join(r.dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	trust := testenv.Trust(roots)
	trust.KeyLogWriter = &appKeys
	v, err := testenv.App{Addr: r.addr(), TLS: testenv.AppSTARTTLS, Config: trust}.Send(t.Context())
	if err != nil || !v.Delivered() {
		t.Fatalf("the app got %+v, %v, want its message delivered", v, err)
	}
	r.end()

	written := secrets(t, read(t, file))
	for leg, seen := range map[string]*bytes.Buffer{"app": &appKeys, "upstream": &upstreamKeys} {
		for _, key := range secrets(t, seen.Bytes()) {
			if !slices.Contains(written, key) {
				t.Errorf("the %s leg: a key that its peer has seen is not in the file: got %d keys there", leg, len(written))
			}
		}
	}
	if !strings.Contains(r.said.String(), keyLogVariable+" is set") {
		t.Errorf("got no warning at the start, want one; the log is\n%s", r.said)
	}
	checkAbsent(t, written, "the log", []byte(r.said.String()))
	for path, text := range files(t, r.dir) {
		checkAbsent(t, written, path, text)
	}
}

// secrets returns the last field of each line of a key log, and demands that
// there are some.
func secrets(t *testing.T, log []byte) (all []string) {
	t.Helper()
	for line := range strings.Lines(string(log)) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			t.Fatalf("got a line of %d fields, want label, client random and secret: %q", len(fields), line)
		}
		all = append(all, fields[2])
	}
	if len(all) == 0 {
		t.Fatal("got no key, want some")
	}
	return all
}

func checkAbsent(t *testing.T, secrets []string, where string, text []byte) {
	t.Helper()
	for _, secret := range secrets {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("a TLS secret is in %s, want it in the key log only", where)
		}
	}
}

func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			all[path] = read(t, path)
		}
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%s: got %d files and %v, want some", dir, len(all), err)
	}
	return all
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestKeyLogFullDisk wants a handshake to survive what the file does not take.
func TestKeyLogFullDisk(t *testing.T) {
	f, err := appendPrivate(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	k := &keyLog{file: f}
	for _, line := range []string{"one\n", "two\n"} {
		if n, err := k.Write([]byte(line)); n != len(line) || err != nil {
			t.Errorf("Write(%q) to a closed file = %d, %v, want %d and no error", line, n, err, len(line))
		}
	}
}
