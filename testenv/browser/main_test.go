//go:build browser

package browser_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The names by which the tests of this process find what they share.
const (
	kitVariable    = "SMTP_PROXY_BROWSER"        // what testenv/browser/install fetched
	binaryVariable = "SMTP_PROXY_BROWSER_BINARY" // the proxy under test
)

// patience bounds every wait for something that must happen.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := prepare()
	if dir != "" {
		defer os.RemoveAll(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
		return 1
	}
	return m.Run()
}

// prepare builds the proxy into a scratch directory.
func prepare() (string, error) {
	if _, err := os.Stat(axePath()); err != nil {
		return "", fmt.Errorf("%s: %w: run testenv/browser/install DIR and name DIR there", kitVariable, err)
	}
	dir, err := os.MkdirTemp("", "smtp-proxy-browser-")
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "smtp-proxy")
	build := exec.Command("go", "build", "-o", binary, "smtp-proxy/cmd/smtp-proxy")
	if out, err := build.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return dir, os.Setenv(binaryVariable, binary)
}

func axePath() string {
	return filepath.Join(os.Getenv(kitVariable), "node_modules", "axe-core", "axe.min.js")
}
