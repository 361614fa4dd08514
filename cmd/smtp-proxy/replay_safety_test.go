package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/spf13/pflag"

	"smtp-proxy/inspect"
	"smtp-proxy/policy"
	"smtp-proxy/testenv"
)

// mailScripts are apps that deliver, each in a way of its own.
func mailScripts() []string {
	const (
		hello    = "<- 220*\n-> EHLO app.example\n<- 250*\n"
		envelope = "-> MAIL FROM:<a@example.com>\n<- 250*\n-> RCPT TO:<b@example.net>\n<- 250*\n"
		message  = "-> DATA\n<- 354*\n-> Subject: x\n-> \n-> hello\n-> .\n<- 250*\n"
		bye      = "-> QUIT\n<- 221*\n"
	)
	return []string{
		hello + envelope + message + bye,
		hello + envelope + message + envelope + message + bye,
		hello + "=> MAIL FROM:<a@example.com>\\r\\nRCPT TO:<b@example.net>\\r\\nDATA\\r\\n\n<- 250*\n<- 250*\n<- 354*\n-> Subject: x\n-> \n-> hello\n-> .\n<- 250*\n" + bye,
		hello + envelope + "=> BDAT 14 LAST\\r\\nSubject: x\\r\\n\\r\\n\n<- 250*\n" + bye,
		hello + envelope + "=> BDAT 12\\r\\nSubject: x\\r\\n\n<- 250*\n=> BDAT 2\\r\\n\\r\\n\n<- 250*\n-> BDAT 0 LAST\n<- 250*\n" + bye,
		hello + envelope + "-> RSET\n<- 250*\n" + envelope + message,
		hello + "-> AUTH PLAIN AGFwcABhYmNk\n<- 235*\n" + envelope + message + bye,
	}
}

// Whatever else is asked for, no message reaches the target unless --to or
// --deliver is given. A new flag has to be tried here.
func TestReplayDeliversNothing(t *testing.T) {
	host := sandbox(t, testenv.SandboxOptions{})
	roots, secret := trustFile(t, host), filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("abcd\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := policy.Defaults()
	c.Upstream, c.UpstreamCA = host.Addr(), roots
	r := startPlant(t, c, nil)
	scripts := mailScripts()
	for _, script := range scripts {
		if _, err := (testenv.App{Addr: r.addr(), Script: script}).Send(t.Context()); err != nil {
			t.Fatalf("a session to record: got %v, want none\n%s", err, script)
		}
	}
	r.end()
	sent := len(host.Mailbox.Messages())
	if sent != len(scripts)+1 {
		t.Fatalf("messages recorded: got %d, want %d", sent, len(scripts)+1)
	}
	many := []string{"replay", "--filter", "since:1h !route:replay", "--upstream-ca", roots, "--rate", "none"}
	for _, flags := range append(flagsToTry(t, host.Addr(), secret), nil) {
		code, stdout, stderr := command(t, r.dir, append(many, flags...)...)
		if code == exitUsage {
			t.Errorf("%v: got %q, want a try", flags, stderr)
		}
		if got := len(host.Mailbox.Messages()); got != sent {
			t.Fatalf("%v: got %d messages at the target, want none beside the %d that were recorded\n%s%s", flags, got, sent, stdout, stderr)
		}
	}
	for _, id := range originals(t, r.dir) {
		one := []string{"replay", id, "--upstream-ca", roots, "--pace", paceReal, "--user", "app", "--password-file", secret}
		code, stdout, stderr := command(t, r.dir, one...)
		if got := len(host.Mailbox.Messages()); got != sent || code != 0 {
			t.Errorf("%v: got %d messages and exit code %d, want %d and 0\n%s%s", one, got, code, sent, stdout, stderr)
		}
	}
}

// flagsToTry sets each flag of replay that does not say to deliver.
func flagsToTry(t *testing.T, target, secret string) (list [][]string) {
	t.Helper()
	delivering := []string{"to", "deliver"}
	elsewhere := []string{"serve", "listen", "fast", "once", "help"} // of the smarthost's part
	values := map[string][]string{
		"upstream": {"--upstream", target}, "upstream-tls": {"--upstream-tls", "starttls"}, "upstream-ca": {},
		"upstream-insecure": {"--upstream-insecure"}, "resolver": {"--resolver", "127.0.0.1:53"},
		"connect-timeout": {"--connect-timeout", "1m"}, "handshake-timeout": {"--handshake-timeout", "1m"}, "timeout": {"--timeout", "1m"},
		"pace": {"--pace", paceReal}, "user": {"--user", "app", "--password-file", secret}, "password-file": {}, "json": {"--json"},
		"token-file": {"--user", "app", "--token-file", secret}, "no-record": {"--no-record"}, "filter": {}, "after": {"--after", "latest"},
		"limit": {"--limit", "5"}, "parallel": {"--parallel", "3"}, "rate": {}, "yes": {"--yes"},
	}
	(&program{}).ReplayCommand().Flags().VisitAll(func(f *pflag.Flag) {
		if slices.Contains(delivering, f.Name) || slices.Contains(elsewhere, f.Name) {
			return
		}
		flags, known := values[f.Name]
		if !known {
			t.Errorf("--%s: got a flag that is not tried, want a value for it here, to see that it delivers nothing", f.Name)
		}
		list = append(list, flags)
	})
	return list
}

// originals lists the sessions of a record that repeat no others.
func originals(t *testing.T, dir string) (ids []string) {
	t.Helper()
	s := reading(t, dir)
	err := s.Sessions(t.Context(), inspect.Filter{}, 0, func(v *inspect.Session) error {
		if v.Linked == "" {
			ids = append(ids, v.ID)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}
