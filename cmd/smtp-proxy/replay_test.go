package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"smtp-proxy/inspect/web"
	"smtp-proxy/policy"
	"smtp-proxy/testenv"
)

// command runs a command line on a record and returns its exit code and what
// it has written.
func command(t *testing.T, dir string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	p := &program{
		stdin: &bytes.Buffer{}, stdout: &out, stderr: &errs, now: time.Now, file: &policy.File{},
		env: func(string) (string, bool) { return "", false },
	}
	code = p.run(append(args, "--data", dir))
	return code, out.String(), errs.String()
}

// The relay of a replay is set up as the recording shows: TLS on either leg,
// on both, and none.
func TestReplayMirrorsTLS(t *testing.T) {
	implicit, demanding := sandbox(t, testenv.SandboxOptions{Implicit: true}), sandbox(t, testenv.SandboxOptions{RequireTLS: true})
	offering, plain := sandbox(t, testenv.SandboxOptions{}), sandbox(t, testenv.SandboxOptions{NoTLS: true})
	sent := map[*testenv.Sandbox]int{}
	for _, test := range []struct {
		name      string
		host      *testenv.Sandbox
		way, app  string
		appSpeaks testenv.AppTLS
	}{
		{"clear", plain, "auto", "none", testenv.AppPlain},
		{"clear although more is offered", offering, "none", "none", testenv.AppPlain},
		{"STARTTLS to the smarthost", demanding, "auto", "none", testenv.AppPlain},
		{"implicit to the smarthost", implicit, "implicit", "none", testenv.AppPlain},
		{"STARTTLS from the app", plain, "none", "offer", testenv.AppSTARTTLS},
		{"STARTTLS offered to the app", demanding, "auto", "offer", testenv.AppPlain},
		{"STARTTLS offered to the app by the smarthost", offering, "none", "offer", testenv.AppPlain},
		{"STARTTLS on both", demanding, "starttls", "require", testenv.AppSTARTTLS},
		{"implicit on both", implicit, "implicit", "implicit", testenv.AppImplicit},
		{"implicit from the app", demanding, "auto", "implicit", testenv.AppImplicit},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := policy.Defaults()
			c.Upstream, c.UpstreamTLS, c.AppTLS = test.host.Addr(), test.way, test.app
			roots := trustFile(t, test.host)
			c.UpstreamCA = roots
			r := startPlant(t, c, nil)
			send := testenv.App{Addr: r.addr(), TLS: test.appSpeaks, Config: trusting(t, r), To: []string{"b@example.net", "550_5.1.1@example.net"}}
			if _, err := send.Send(t.Context()); err != nil {
				t.Fatalf("the session to record: got %v, want none", err)
			}
			r.end()
			sent[test.host]++
			args := []string{"replay", "latest", "--json"}
			if roots != "" {
				args = append(args, "--upstream-ca", roots)
			}
			wantIdentical(t, r.dir, 6, args...)
		})
	}
	for host, want := range sent {
		if got := len(host.Mailbox.Messages()); got != want {
			t.Errorf("messages at a target: got %d, want the %d that were recorded", got, want)
		}
	}
}

// sandbox starts one that ends with the test.
func sandbox(t *testing.T, o testenv.SandboxOptions) *testenv.Sandbox {
	t.Helper()
	s, err := testenv.NewSandbox(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// wantIdentical replays and demands at least so many equal replies, and no
// delivery.
func wantIdentical(t *testing.T, dir string, least int, args ...string) {
	t.Helper()
	code, stdout, stderr := command(t, dir, args...)
	var got web.ReplayResult
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatalf("%v: got %q and %q, want JSON: %v", args, stdout, stderr, err)
	}
	if code != 0 || !got.Identical || len(got.Steps) < least || got.Delivered != 0 {
		t.Errorf("%v: got %d and\n%s%s\nwant 0 and at least %d equal replies, nothing delivered", args, code, stdout, stderr, least)
	}
}

// trustFile writes the roots of a sandbox to a file; empty where it has none.
func trustFile(t *testing.T, s *testenv.Sandbox) string {
	t.Helper()
	if s.Roots() == nil {
		return ""
	}
	path := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(path, s.Roots(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// trusting is how an app that trusts the plant's authority speaks TLS.
func trusting(t *testing.T, r *running) *tls.Config {
	t.Helper()
	roots := x509.NewCertPool()
	if text, err := os.ReadFile(filepath.Join(r.dir, "ca.pem")); err == nil {
		roots.AppendCertsFromPEM(text)
	}
	return &tls.Config{RootCAs: roots, ServerName: "localhost"}
}
