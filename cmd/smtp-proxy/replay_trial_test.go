package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"smtp-proxy/policy"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream/replay"
)

// TestReplayManyTriesCredentialsOnce replays sessions that signed in, with
// credentials that are refused now.
func TestReplayManyTriesCredentialsOnce(t *testing.T) {
	host := sandbox(t, testenv.SandboxOptions{User: "app", Password: "right"})
	roots, secret := trustFile(t, host), filepath.Join(t.TempDir(), "secret")
	c := policy.Defaults()
	c.Upstream, c.UpstreamCA = host.Addr(), roots
	r := startPlant(t, c, nil)
	const script = "<- 220*\n-> EHLO app.example\n<- 250*\n-> AUTH PLAIN AGFwcAByaWdodA==\n<- 235*\n-> QUIT\n<- 221*\n"
	for range 4 {
		if _, err := (testenv.App{Addr: r.addr(), Script: script}).Send(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	r.end()
	many := []string{"replay", "--filter", "since:1h !route:replay", "--upstream-ca", roots, "--rate", "none", "--parallel", "4", "--user", "app", "--password-file", secret}
	for password, want := range map[string]string{"wrong\n": "     3  these credentials were refused", "right\n": "4 sessions played: 4 identical"} {
		if err := os.WriteFile(secret, []byte(password), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, stdout, stderr := command(t, r.dir, many...); !strings.Contains(stdout, want) {
			t.Errorf("password %q: got %s%s, want %q", password, stdout, stderr, want)
		}
	}
}

// Credentials go to one smarthost.
func TestTrial(t *testing.T) {
	var one trial
	steps := func(reply string) []replay.Step {
		return []replay.Step{{Command: "EHLO app", Now: "550 no"}, {Command: "AUTH PLAIN", Now: reply}}
	}
	for i, test := range []struct {
		target, reply string
		alone         bool
		refused       string
	}{
		{"a:25", "454 later", true, ""},
		{"b:25", "", false, "credentials are for a:25"},
		{"a:25", "235 in", true, ""},
		{"a:25", "535 locked", false, ""},
		{"a:25", "", false, "535 locked"},
	} {
		alone, err := one.admit(test.target)
		if alone != test.alone || (err == nil) != (test.refused == "") || err != nil && !strings.Contains(err.Error(), test.refused) {
			t.Errorf("%d: got alone %v, %v, want %+v", i, alone, err, test)
		}
		one.learn(steps(test.reply))
	}
}
