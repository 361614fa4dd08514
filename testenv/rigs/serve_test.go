//go:build rigs

package rigs_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestFailures records failures through the proxy. What replay --serve plays of
// them, and the programs that export writes, then show each as it was.
func TestFailures(t *testing.T) {
	k := newKit(t)
	letter := write(t, filepath.Join(k.scratch(t), "letter.eml"), head+"one line\r\n")
	r := recordFailures(t, k, letter)
	if t.Failed() {
		return
	}
	t.Run("serve", func(t *testing.T) {
		for _, f := range failures() {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				f.wantSame(t, r, letter)
			})
		}
	})
	t.Run("reproduce", func(t *testing.T) {
		for _, f := range failures() {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				f.wantReproduced(t, r)
			})
		}
	})
	t.Run("secrets", func(t *testing.T) { checkSecrets(t, r.proxy) })
}

// wantSame has each mail program meet the failure at the smarthost itself, and
// then at its recording: it must end the same way, and be told the same words.
func (f failure) wantSame(t *testing.T, r failureRecord, letter string) {
	served := r.serve(t, r.ids[f.name])
	for _, a := range attempters() {
		if slices.Contains(f.beyond, a.name) {
			continue
		}
		want := a.try(t, f.job(f.start(t), letter))
		got := a.try(t, f.job(served, letter))
		if got.exit != want.exit || !slices.Equal(got.said, want.said) {
			t.Errorf("%s: got from the recording exit code %d and\n%s\nwant what the smarthost gave: %d and\n%s",
				a.name, got.exit, strings.Join(got.said, "\n"), want.exit, strings.Join(want.said, "\n"))
		}
	}
}

// serve starts replay --serve and waits until it says where it listens.
func (r failureRecord) serve(t *testing.T, id string) target {
	t.Helper()
	addr := "localhost:" + port(freePort(t))
	log := filepath.Join(t.TempDir(), "serve.log")
	p := start(t, log, exec.Command(r.binary, "replay", id, "--serve", "--listen", addr, "--data", r.data))
	p.awaitWord(t, port(addr))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("replay --serve said:\n%s", tail(log))
		}
	})
	return target{addr: addr, ca: filepath.Join(r.data, "ca.pem")}
}
