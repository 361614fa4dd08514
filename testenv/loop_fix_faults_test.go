package testenv_test

import (
	"context"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// TestFixFaults looks for the fix of what the practice smarthost provokes. Most
// of it has none on this side.
func TestFixFaults(t *testing.T) {
	const hopeless = ""
	for fault, change := range map[string]string{
		"tls.plaintext-expected":          "set STARTTLS",
		"tls.certificate-name-mismatch":   hopeless, // the name leads nowhere
		"tls.certificate-self-signed":     "trust its own certificate",
		"tls.certificate-untrusted":       "trust the authority ",
		"tls.chain-incomplete":            "trust the intermediate certificate ",
		"tls.certificate-expired":         hopeless,
		"tls.certificate-not-yet-valid":   hopeless,
		"tls.certificate-weak":            hopeless,
		"tls.version-mismatch":            "--tls passthrough",
		"tls.cipher-mismatch":             "--tls passthrough",
		"tls.client-certificate-required": hopeless,
		"tls.starttls-refused":            hopeless, // with a password at stake
		"tls.not-offered":                 hopeless,
		"tls.sni-required":                "set the host to mail.example.com",
		"connect.refused":                 hopeless,
		"connect.unreachable":             hopeless,
		"connect.dns-no-such-host":        hopeless,
		"connect.rejected":                hopeless,
		"connect.closed":                  hopeless,
		"connect.reset":                   hopeless,
		"connect.not-smtp":                hopeless,
		"reputation.no-reverse-dns":       hopeless,
		"auth.bad-credentials":            hopeless,
		"auth.temporary-failure":          hopeless,
		"auth.too-many-attempts":          hopeless,
		"upstream.unavailable":            hopeless,
		"protocol.invalid-reply":          hopeless,
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			f, fix := fixOf(t, fault)
			got := fix.Change + " " + strings.Join(fix.Flags, " ")
			if !strings.Contains(got, change) || change == hopeless && fix.Change != "" {
				t.Errorf("got %q, and %q, want %q; tried %+v", got, fix.Text, change, fix.Tried)
			}
			if fix.Text == "" && fix.Change == "" {
				t.Errorf("got nothing to say of %+v", fix)
			}
			if f.Smarthost != nil && len(f.Smarthost.Messages()) > 0 {
				t.Errorf("got %d messages, want none", len(f.Smarthost.Messages()))
			}
		})
	}
}

// fixOf checks a fault as a person with an account does, and looks for the fix.
func fixOf(t *testing.T, name string) (*testenv.Fault, probe.Fix) {
	t.Helper()
	f, err := testenv.StartFault(name, testenv.FaultOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	target, err := upstream.ParseTarget(f.Upstream, upstream.Mode(f.Relay.UpstreamTLS))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(f.Roots)
	reach := upstream.Options{Resolver: f.Resolver, Roots: roots, LookupTimeout: time.Second, ConnectTimeout: time.Second}
	c, err := upstream.New(reach)
	if err != nil {
		t.Fatal(err)
	}
	p := probe.New(probe.Options{Connector: c, OtherPorts: []int{}, AtOnce: 16, PerMinute: 200})
	script := probe.Script{User: "me@example.com", Password: planted, Mechanism: f.App.Mechanism}
	if f.App.User != "" {
		script.User = f.App.User
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	before := p.Check(ctx, target, probe.Wanted{Script: script, Steps: []string{"dialogue"}}, func(probe.Line) {})
	return f, p.Fix(ctx, target, probe.Search{Script: script, Before: before, Reach: reach})
}
