//go:build rigs

package rigs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/testenv"
)

// TestCheckOfServers has check find nothing wrong with healthy servers, however
// they secure the connection and whether they are signed in to or not, and the
// one thing that is wrong where something is.
func TestCheckOfServers(t *testing.T) {
	k := newKit(t)
	for _, s := range servers() {
		t.Run(s.name, func(t *testing.T) {
			m := s.start(t, k)
			shortest := patience
			for _, c := range serverChecks() {
				t.Run(c.name, func(t *testing.T) { shortest = min(shortest, c.run(t, k, m)) })
			}
			if shortest > time.Second {
				t.Errorf("the shortest check took %s, want less than a second", shortest)
			}
		})
	}
}

// serverCheck is a check of a real server. It delivers where it may.
type serverCheck struct {
	name     string
	implicit bool
	mode     string // --upstream-tls
	password string // none without a sign-in
	deliver  bool
	exit     int
	causes   []string
}

func serverChecks() []serverCheck {
	return []serverCheck{
		{name: "in clear", mode: "none"},
		{name: "in clear, signed in", mode: "none", password: password},
		{name: "STARTTLS", mode: "starttls"},
		{name: "STARTTLS, signed in", mode: "starttls", password: password},
		{name: "implicit", mode: "implicit", implicit: true},
		{name: "implicit, signed in", mode: "implicit", implicit: true, password: password},
		{name: "found out", mode: "auto", password: password},
		{name: "implicit, found out", mode: "auto", implicit: true, password: password},
		{name: "with a message", mode: "auto", password: password, deliver: true},
		{name: "the wrong password", mode: "auto", password: wrongPassword, exit: 28, causes: []string{"auth.bad-credentials"}},
	}
}

// run returns how long the check took.
func (c serverCheck) run(t *testing.T, k kit, m *mta) time.Duration {
	to, began := m.mailboxes(t, 1)[0], time.Now()
	told := c.check(t, k, m, to)
	took := time.Since(began)
	want := map[string]bool{"greeting": true, "ehlo": true, "auth": c.password != "", "mail": true, "rcpt": true, "delivery": c.deliver}
	for _, s := range told.Steps {
		if asked, ok := want[s.Name]; ok && c.exit == 0 && asked != (s.Status == "ok") {
			t.Errorf("%s: %s %s, asked for: %t", s.Name, s.Status, s.Text, asked)
		}
		if s.Status == "fail" && c.exit == 0 {
			t.Errorf("%s fails: %s", s.Name, s.Text)
		}
	}
	if c.deliver && !bytes.Contains(m.stored(t, to), []byte("From: <"+account+">")) {
		t.Errorf("the test message is not what it was to be:\n%s", m.stored(t, to))
	}
	return took
}

// checkSaid is what check --json prints.
type checkSaid struct {
	Steps    []struct{ Name, Status, Text string }
	Findings []finding
}

// check runs the check, whose names are looked up on a DNS server that knows
// none, and demands how it ends. It gives a name at EHLO, as Exim looks an
// address there up, on whatever DNS server the machine has.
func (c serverCheck) check(t *testing.T, k kit, m *mta, to string) (told checkSaid) {
	t.Helper()
	d, err := testenv.NewDNS()
	must(t, err)
	defer d.Close()
	target := m.plain
	if c.implicit {
		target = m.implicit
	}
	args := []string{"check", target, "--json", "--name", "app.rig.test", "--resolver", d.Addr(), "--upstream-tls", c.mode, "--upstream-ca", m.ca, "--from", account, "--to", to}
	if c.password != "" {
		args = append(args, "--user", account, "--password-file", write(t, filepath.Join(t.TempDir(), "password"), c.password))
	}
	if c.deliver {
		args = append(args, "--deliver")
	}
	cmd := exec.CommandContext(t.Context(), k.proxy, args...)
	out, err := cmd.Output()
	if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &told); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var causes []string
	for _, f := range told.Findings {
		causes = append(causes, f.Cause)
	}
	if got := cmd.ProcessState.ExitCode(); got != c.exit || !slices.Equal(causes, c.causes) {
		t.Errorf("got exit code %d and findings %v, want %d and %v:\n%s\nthe server's log ends with:\n%s", got, causes, c.exit, c.causes, strings.TrimSpace(string(out)), tail(m.log))
	}
	return told
}
