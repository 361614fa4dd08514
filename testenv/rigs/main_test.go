//go:build rigs

package rigs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// kit is what all rigs share: where the peers are, the proxy's binary and a
// scratch directory that the servers' own users may enter.
type kit struct {
	peers string // what testenv/rigs/install fetched
	proxy string // the binary under test
	root  string // removed at the end
}

// kitVariable names the kit's directory for the tests of this process.
const kitVariable = "SMTP_PROXY_RIGS_KIT"

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	root, err := prepare()
	if root != "" {
		defer os.RemoveAll(root)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "rigs:", err)
		return 1
	}
	return m.Run()
}

// prepare makes the scratch directory and builds the proxy into it.
func prepare() (string, error) {
	if os.Getuid() != 0 {
		return "", fmt.Errorf("the servers switch users: run as root")
	}
	if _, err := os.Stat(os.Getenv("SMTP_PROXY_RIGS")); err != nil {
		return "", fmt.Errorf("SMTP_PROXY_RIGS: %w: run testenv/rigs/install DIR and name DIR there", err)
	}
	root, err := os.MkdirTemp("", "smtp-proxy-rigs-")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(root, 0o755); err != nil {
		return root, err
	}
	build := exec.Command("go", "build", "-o", filepath.Join(root, "smtp-proxy"), "smtp-proxy/cmd/smtp-proxy")
	if out, err := build.CombinedOutput(); err != nil {
		return root, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return root, os.Setenv(kitVariable, root)
}

func newKit(t *testing.T) kit {
	t.Helper()
	root := os.Getenv(kitVariable)
	return kit{
		peers: os.Getenv("SMTP_PROXY_RIGS"),
		proxy: filepath.Join(root, "smtp-proxy"),
		root:  root,
	}
}

// scratch makes a directory that every user may enter.
func (k kit) scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(k.root, "rig-")
	must(t, err)
	must(t, os.Chmod(dir, 0o755))
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}
