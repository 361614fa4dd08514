//go:build rigs

package rigs_test

import (
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// startExim runs the unpacked Exim as a daemon with its own configuration,
// spool, log and mailboxes.
func startExim(t *testing.T, k kit) *mta {
	t.Helper()
	dir := k.scratch(t)
	m := newMTA(t, "Exim", dir, "Debian-exim")
	m.log = filepath.Join(dir, "log", "main")
	for _, name := range []string{"spool", "log"} {
		makeDir(t, filepath.Join(dir, name), m.owner, -1, 0o750)
	}
	binary := filepath.Join(k.peers, "exim", "usr", "sbin", "exim4")
	fill := strings.NewReplacer(
		"@DIR@", dir,
		"@EXIM@", binary,
		"@PLAIN@", port(m.plain),
		"@IMPLICIT@", port(m.implicit),
		"@ACCOUNT@", account,
		"@PASSWORD@", password,
	)
	conf := write(t, filepath.Join(dir, "exim.conf"), fill.Replace(template(t, "exim.conf")))
	p := start(t, filepath.Join(dir, "exim.out"), exec.Command(binary, "-bdf", "-C", conf))
	p.awaitPort(t, m.plain)
	p.awaitPort(t, m.implicit)
	return m
}

func port(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}
